/** Choosing the instrument: a search over all that are listed. */
import { find, make, mark, write } from '../dom.js'
import type { Instrument } from '../instruments.js'

/** More would only slow the page; typing narrows. */
const SHOWN = 100

export class InstrumentDialog {
  readonly #dialog = find<HTMLDialogElement>('#instrument-dialog')
  readonly #search = find<HTMLInputElement>('#instrument-search')
  readonly #list = find('#instrument-list')
  readonly #count = find('#instrument-count')
  readonly #choose: (name: string) => void
  #instruments: Instrument[] = []
  #options: HTMLElement[] = []
  #at = 0

  constructor(choose: (name: string) => void) {
    this.#choose = choose
    this.#search.addEventListener('input', () => this.#filter(0))
    this.#search.addEventListener('keydown', (event) => this.#key(event))
    this.#list.addEventListener('click', ({ target }) => this.#take((target as Element).closest<HTMLElement>('li')))
    // A click beside the dialog is one on its backdrop.
    this.#dialog.addEventListener('click', ({ target }) => target === this.#dialog && this.#dialog.close())
  }

  offer(instruments: Instrument[]): void {
    this.#instruments = instruments
    if (this.#dialog.open) this.#filter(this.#at)
  }

  open(now: string): void {
    this.#search.value = ''
    this.#filter(this.#instruments.findIndex(({ name }) => name === now))
    this.#dialog.showModal()
    this.#move(this.#at)
  }

  #filter(at: number): void {
    const words = this.#search.value.toUpperCase().split(/\s+/)
    const found = this.#instruments.filter(({ name, kind }) => {
      const text = `${name} ${kind}`.toUpperCase()
      return words.every((word) => text.includes(word))
    })
    this.#options = found.slice(0, SHOWN).map(option)
    this.#list.replaceChildren(...this.#options)
    const more = found.length - this.#options.length
    const none = this.#instruments.length === 0 ? 'The instruments are not known yet' : 'Nothing of that name'
    write(this.#count, found.length === 0 ? none : more > 0 ? `and ${more} more: type to narrow` : `${found.length} found`)
    this.#move(at)
  }

  #move(to: number): void {
    this.#at = Math.max(0, Math.min(this.#options.length - 1, to))
    this.#options.forEach((option, index) => option.setAttribute('aria-selected', String(index === this.#at)))
    const option = this.#options[this.#at]
    this.#search.setAttribute('aria-activedescendant', option?.id ?? '')
    option?.scrollIntoView({ block: 'nearest' })
  }

  #key(event: KeyboardEvent): void {
    const page = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key]
    if (page !== undefined) this.#move(this.#at + page)
    else if (event.key === 'Enter') this.#take(this.#options[this.#at])
    else return
    event.preventDefault()
  }

  #take(option: HTMLElement | null | undefined): void {
    const name = option?.dataset['name']
    if (name === undefined) return
    this.#dialog.close()
    this.#choose(name)
  }
}

function option({ name, kind }: Instrument, index: number): HTMLElement {
  const made = make('li', '', make('span', '', name), make('span', 'kind', kind))
  made.id = `instrument-${index}`
  made.setAttribute('role', 'option')
  mark(made, 'name', name)
  return made
}
