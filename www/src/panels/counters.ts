/** How often something happened since the page was opened on this exchange. */
import type { Connection } from '../connection.js'
import { find, make, write } from '../dom.js'
import { bytes, number } from '../format.js'
import { everySecond, onFrame } from '../frame.js'
import type { Journal } from '../journal.js'

export class Counters {
  readonly #cells = new Map<string, HTMLElement>()
  readonly #journal: Journal
  readonly #paint = onFrame(() => this.#draw())
  #connection: Connection | undefined

  constructor(journal: Journal) {
    this.#journal = journal
    this.#cell('Reconnects', 'Connections after the first one')
    this.#cell('Lost', 'Connections that ended, and attempts that failed')
    this.#cell('Resyncs', 'Books that were asked for anew after a lost message')
    this.#cell('Dropped', 'Messages that this page was too slow to read')
    this.#cell('Channels', 'Confirmed by the exchange, of those wanted')
    this.#cell('Received', 'Payload received on this page')
    journal.addEventListener('change', this.#paint)
    everySecond(this.#paint)
  }

  show(connection: Connection): void {
    this.#connection = connection
    this.#paint()
  }

  #cell(name: string, meaning: string): void {
    const cell = make('dd', '', '0')
    const item = make('div', '', make('dt', '', name), cell)
    item.title = meaning
    find('#counters').append(item)
    this.#cells.set(name, cell)
  }

  #draw(): void {
    const stats = this.#connection?.client?.stats
    const values: Record<string, string> = {
      Reconnects: number(Math.max(0, (stats?.connections ?? 0) - 1), 0),
      Lost: number(stats?.disconnects ?? 0, 0),
      Resyncs: number(this.#journal.resyncs, 0),
      Dropped: number(this.#journal.dropped, 0),
      Channels: `${stats?.confirmed ?? 0} / ${stats?.desired ?? 0}`,
      Received: bytes(stats?.receivedBytes ?? 0),
    }
    this.#cells.forEach((cell, name) => write(cell, values[name] ?? ''))
  }
}
