/** Buttons that make the local exchange misbehave, so that one sees what happens then. */
import type { DeribitClient } from 'steadysocket'

import { find, make, mark, write } from '../dom.js'
import type { Journal } from '../journal.js'
import { Roving } from '../roving.js'

interface Fault {
  label: string
  /** What it does, in so many words as there is room for beside the title. */
  meaning: string
  /** Commands of the exchange (tests/exchange/README.md); `@me` is this page's connection. */
  commands: (instrument: string) => string[]
}

const FAULTS: readonly Fault[] = [
  {
    label: 'Cut',
    meaning: 'TCP ends, without a close frame',
    commands: () => ['drop @me'],
  },
  {
    label: 'Stall',
    meaning: 'Half-open: nothing comes any more',
    commands: () => ['stall @me'],
  },
  {
    label: 'Book gap',
    meaning: 'One change of the book is lost',
    commands: (instrument) => [`gap book.${instrument}.100ms @me`],
  },
  {
    label: 'Garbage',
    meaning: 'A message that is not JSON',
    commands: () => ['garbage @me'],
  },
  {
    label: 'Refuse 10 s',
    meaning: 'Cut, and 503 for every attempt',
    commands: () => ['refuse 503 10s', 'drop @me'],
  },
  {
    label: 'Maintenance',
    meaning: 'Announced; away for 6 s, for everyone',
    commands: () => ['maintenance 1s 6s'],
  },
]

export class Faults {
  readonly #root = find('#faults')
  readonly #veil = find('.veil', this.#root)
  readonly #hint = find('.status', this.#root)
  readonly #journal: Journal
  readonly #instrument: () => string
  readonly #buttons: HTMLButtonElement[]
  #client: DeribitClient | undefined

  constructor(journal: Journal, instrument: () => string) {
    this.#journal = journal
    this.#instrument = instrument
    this.#buttons = FAULTS.map((fault, index) => this.#button(fault, index))
    const group = find('.buttons', this.#root)
    group.append(...this.#buttons)
    const first = this.#buttons[0]
    if (first !== undefined) new Roving(group).place(first)
    this.clear('Connecting')
  }

  /** A key for each button. */
  static readonly keys = FAULTS.map((_, index) => String(index + 1))

  /** Finds out whether this exchange takes commands. */
  async offer(client: DeribitClient): Promise<void> {
    this.#client = client
    const stats = await number(client)
    if (this.#client !== client) return
    if (stats === undefined) return this.clear('Only the local exchange can be made to misbehave')
    this.#enable(true)
    write(this.#veil, '')
  }

  clear(text: string): void {
    this.#client = undefined
    this.#enable(false)
    write(this.#veil, text)
  }

  /** Presses the button of this place. */
  press(index: number): void {
    this.#buttons[index]?.click()
  }

  #enable(yes: boolean): void {
    mark(this.#root, 'state', yes ? 'live' : 'waiting')
    for (const button of this.#buttons) button.disabled = !yes
  }

  #button(fault: Fault, index: number): HTMLButtonElement {
    const button = make('button', '', make('span', '', fault.label), make('kbd', '', String(index + 1)))
    button.title = fault.meaning
    for (const event of ['focus', 'pointerenter']) button.addEventListener(event, () => write(this.#hint, fault.meaning))
    for (const event of ['blur', 'pointerleave']) button.addEventListener(event, () => write(this.#hint, ''))
    mark(button, 'item', fault.label)
    button.addEventListener('click', () => void this.#inflict(fault))
    return button
  }

  async #inflict({ label, commands }: Fault): Promise<void> {
    const client = this.#client
    if (client === undefined) return
    this.#journal.note('plain', `You: ${label.toLowerCase()}`)
    try {
      const me = await number(client)
      for (const command of commands(this.#instrument())) {
        await client.call('local/fault', { command: command.replace('@me', `@${me}`) }, { timeout: 2_000 })
      }
    } catch (error) {
      this.#journal.note('warn', `${label}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}

/** The exchange's number for this connection; nothing when it is not the local exchange. */
async function number(client: DeribitClient): Promise<number | undefined> {
  try {
    return (await client.call<{ connection: number }>('local/stats', {}, { timeout: 2_000 })).connection
  } catch {
    return undefined
  }
}
