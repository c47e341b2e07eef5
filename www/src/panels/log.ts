/** The event log, the newest first. */
import { find, make, mark, write } from '../dom.js'
import { clock } from '../format.js'
import { onFrame } from '../frame.js'
import type { Entry, Journal } from '../journal.js'

export class Log {
  readonly #list = find('#log ol')
  readonly #veil = find('#log .veil')
  readonly #journal: Journal
  /** An entry never changes, so its item is made once. */
  readonly #items = new WeakMap<Entry, HTMLElement>()

  constructor(journal: Journal) {
    this.#journal = journal
    const paint = onFrame(() => this.#draw())
    journal.addEventListener('change', paint)
    paint()
  }

  #draw(): void {
    const { entries } = this.#journal
    this.#list.replaceChildren(...entries.map((entry) => this.#item(entry)))
    write(this.#veil, entries.length === 0 ? 'Nothing has happened yet' : '')
  }

  #item(entry: Entry): HTMLElement {
    const item = this.#items.get(entry) ?? draw(entry)
    this.#items.set(entry, item)
    return item
  }
}

function draw({ at, tone, text, times }: Entry): HTMLElement {
  const time = make('time', '', clock(at))
  time.dateTime = new Date(at).toISOString()
  const item = make('li', '', time, make('span', '', times === 1 ? text : `${text} (${times} times)`))
  mark(item, 'tone', tone)
  return item
}
