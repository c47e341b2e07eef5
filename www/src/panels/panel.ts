/** What every panel of market data has: a state that the reader can trust. */
import { find, mark, write } from '../dom.js'
import { clock, duration } from '../format.js'
import { everySecond } from '../frame.js'

export type Status =
  /** Nothing to show yet, and why. */
  | { name: 'waiting'; text: string }
  | { name: 'live'; text?: string }
  /** What is shown was true until `since`, in milliseconds since 1970. */
  | { name: 'stale'; since: number; reason: string }
  /** There will be nothing, and why. */
  | { name: 'failed'; text: string }

export class Panel {
  readonly root: HTMLElement
  readonly #chip: HTMLElement
  readonly #veil: HTMLElement
  #status: Status = { name: 'waiting', text: 'Connecting' }

  constructor(selector: string) {
    this.root = find(selector)
    this.#chip = find('.status', this.root)
    this.#veil = find('.veil', this.root)
    this.#show()
    everySecond(() => this.#status.name === 'stale' && this.#show())
  }

  get status(): Status {
    return this.#status
  }

  set status(status: Status) {
    this.#status = status
    this.#show()
  }

  /** Says that what is shown is old, and keeps the first reason until data flows again. */
  stale(reason: string): void {
    if (this.#status.name === 'live') this.status = { name: 'stale', since: Date.now(), reason }
  }

  #show(): void {
    const status = this.#status
    mark(this.root, 'state', status.name)
    switch (status.name) {
      case 'live':
        write(this.#chip, status.text ?? 'live')
        return write(this.#veil, '')
      case 'stale':
        write(this.#chip, `stale since ${clock(status.since)}`)
        this.#chip.title = status.reason
        return write(this.#veil, `${status.reason}, ${duration(Math.max(1_000, Date.now() - status.since))} ago`)
      default:
        write(this.#chip, '')
        write(this.#veil, status.text)
    }
  }
}
