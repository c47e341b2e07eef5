/** How the connection stands: the lamp at the top, and the words in the connection panel. */
import type { Connection } from '../connection.js'
import { find, mark, write } from '../dom.js'
import { shown } from '../exchange.js'
import { onFrame } from '../frame.js'
import { say } from '../phrase.js'

/** While a countdown or a duration runs. */
const REDRAW = 100

export class Link {
  readonly #root = find('#link')
  readonly #lamp = find('#lamp')
  readonly #lampText = find('#lamp-text')
  readonly #name = find('#state-name')
  readonly #detail = find('#state-detail')
  readonly #fuse = find('.fuse i', this.#root)
  readonly #retry = find<HTMLButtonElement>('#retry')
  readonly #spoken = find('#spoken')
  readonly #paint = onFrame(() => this.#draw())
  #connection: Connection | undefined
  #said = ''

  constructor(retry: () => void) {
    this.#retry.addEventListener('click', retry)
    setInterval(this.#paint, REDRAW)
  }

  show(connection: Connection): void {
    this.#connection = connection
    connection.addEventListener('phase', () => {
      this.#paint()
      this.#speak(connection)
    })
    this.#paint()
  }

  #draw(): void {
    const connection = this.#connection
    if (connection === undefined) return
    const { light, name, detail, progress } = say(
      connection.phase,
      performance.now() - connection.since,
      shown(connection.exchange),
    )
    mark(this.#lamp, 'tone', light)
    mark(this.#root, 'tone', light)
    write(this.#lampText, name)
    write(this.#name, name)
    write(this.#detail, detail)
    this.#detail.title = detail
    write(this.#retry, connection.phase.name === 'live' ? 'Reconnect' : 'Try now')
    this.#fuse.style.setProperty('--part', progress === undefined ? '0' : (1 - progress).toFixed(3))
  }

  /** Screen readers hear of a loss and of a recovery, once each, not of every attempt. */
  #speak(connection: Connection): void {
    const { name } = connection.phase
    const words = name === 'live' ? 'Live' : name === 'waiting' || name === 'failed' || name === 'ended' ? 'Connection lost' : ''
    if (words === '' || words === this.#said) return
    this.#said = words
    write(this.#spoken, words)
  }
}
