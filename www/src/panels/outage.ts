/** What covers the desk while there has been no connection at all, or will be none: why, and what to do. */
import type { Connection } from '../connection.js'
import { find, write } from '../dom.js'
import { shown } from '../exchange.js'

export class Outage {
  readonly #root = find('#outage')
  readonly #title = find('#outage-title')
  readonly #text = find('#outage-text')
  readonly #next = find('#outage-next')
  #connection: Connection | undefined

  constructor(retry: () => void, choose: () => void) {
    find('#outage-retry').addEventListener('click', retry)
    find('#outage-choose').addEventListener('click', choose)
    setInterval(() => this.#draw(), 100)
  }

  show(connection: Connection): void {
    this.#connection = connection
    connection.addEventListener('phase', () => this.#draw())
    this.#draw()
  }

  #draw(): void {
    const connection = this.#connection
    if (connection === undefined) return
    const { phase, since, exchange } = connection
    this.#root.hidden = phase.name !== 'failed' && phase.name !== 'ended'
    if (phase.name === 'ended') {
      write(this.#title, 'The connection has ended')
      write(this.#text, phase.reason.message)
      write(this.#next, shown(exchange))
    } else if (phase.name === 'failed') {
      write(this.#title, `No connection to ${shown(exchange)}`)
      write(this.#text, phase.message)
      const left = phase.delay === undefined ? 0 : Math.max(0, phase.delay - (performance.now() - since))
      write(this.#next, phase.delay === undefined ? '' : `Next attempt in ${Math.ceil(left / 1_000)} s`)
    }
  }
}
