/** How the connection performs: the round trip of a small call, and messages a second. */
import type { Connection } from '../connection.js'
import { find, write } from '../dom.js'
import { number } from '../format.js'
import { everySecond } from '../frame.js'
import { Spark } from './spark.js'

/** How many values a line shows. */
const KEPT = 60
/** Seconds from one question to the next: well within anybody's credits. */
const EVERY = 2
/** An answer later than this is none. */
const PATIENCE = 2_000

export class Gauges {
  readonly #latency = new Spark(KEPT, 0, find<SVGSVGElement>('#latency-line'))
  readonly #rate = new Spark(KEPT, 0, find<SVGSVGElement>('#rate-line'))
  readonly #latencyText = find('#latency')
  readonly #rateText = find('#rate')
  #connection: Connection | undefined
  #received = 0
  #seconds = 0

  constructor() {
    everySecond(() => {
      this.#countMessages()
      if (this.#seconds++ % EVERY === 0) void this.#ask()
    })
  }

  show(connection: Connection): void {
    this.#connection = connection
    this.#received = 0
    this.#latency.clear()
    this.#rate.clear()
    connection.addEventListener('client', () => (this.#received = 0))
  }

  #countMessages(): void {
    const received = this.#connection?.client?.stats.received
    const rate = received === undefined ? undefined : received - this.#received
    this.#received = received ?? 0
    this.#rate.push(rate)
    write(this.#rateText, rate === undefined ? '–' : number(rate, 0))
  }

  async #ask(): Promise<void> {
    const connection = this.#connection
    const client = connection?.client
    // A hidden tab needs no gauge, and a call without a connection would only wait for one.
    if (client === undefined || client.state.name !== 'live' || document.hidden) return this.#answered(undefined)
    const sent = performance.now()
    try {
      await client.call('public/get_time', {}, { timeout: PATIENCE })
      if (this.#connection === connection) this.#answered(performance.now() - sent)
    } catch {
      if (this.#connection === connection) this.#answered(undefined)
    }
  }

  #answered(ms: number | undefined): void {
    this.#latency.push(ms)
    write(this.#latencyText, ms === undefined ? '–' : `${number(ms, ms < 10 ? 1 : 0)} ms`)
  }
}
