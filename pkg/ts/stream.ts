import type { Updates } from './core.js'
import { SteadyError } from './errors.js'
import { leaving } from './leaving.js'
import { type Pace, Reader } from './reader.js'
import type { Update } from './update.js'

/** Whether what was read last is still true: `stale` from an interruption or renewal until data flows again, and for good
 * once the stream has ended. */
export type Freshness = 'fresh' | 'stale'

/**
 * Data of one channel. Iterating gives the data; `updates()` gives also what happened to it, in order. Leaving the loop,
 * aborting its signal, or `close` leaves the channel. It has one reader: several get each update
 * once between them.
 *
 * Fires `freshness` when `freshness` changes, which is when the reader comes to that place in the stream.
 */
export class Stream<T> extends EventTarget implements AsyncIterable<T>, AsyncDisposable {
  /** The channel's name; empty for messages that belong to none. */
  readonly channel: string
  readonly #reader: Reader
  readonly #leave: () => void
  #freshness: Freshness = 'fresh'

  /** @internal */
  constructor(
    channel: string,
    updates: Updates,
    decode: (data: never) => unknown,
    signal?: AbortSignal,
    pace: Pace = 'each',
  ) {
    super()
    this.channel = channel
    this.#reader = new Reader(updates, decode, pace)
    const leave = () => {
      this.#reader.close()
      this.#turn('stale')
    }
    signal?.addEventListener('abort', leave, { once: true })
    if (signal?.aborted) leave()
    this.#leave = () => {
      signal?.removeEventListener('abort', leave)
      leave()
    }
  }

  /** How many values were dropped or replaced because the reader was too slow, or because their frame had a newer one. */
  get dropped(): number {
    return this.#reader.dropped
  }

  /** How many updates wait to be read. */
  get waiting(): number {
    return this.#reader.waiting
  }

  /** Whether what was read last is still true. */
  get freshness(): Freshness {
    return this.#freshness
  }

  /** Has the channel begin anew, so that what the server sends first, such as a book's snapshot, comes again: it is
   * unsubscribed, and subscribed once that is confirmed. No other channel is touched. All consumers of this one are told by
   * `renewing` and `resumed`.
   *
   * Nothing happens while it is about to begin anyway. A channel that is renewed again and again waits longer each time, up to
   * a minute. */
  renew(): void {
    this.#reader.renew()
  }

  /** Leaves the channel. Whoever waits for data comes to the end. */
  close(): void {
    this.#leave()
  }

  /** The data alone. What cannot be read as JSON throws. */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    return this.#reading(false) as AsyncGenerator<T, void, undefined>
  }

  /** The data, and what happened to it, in order. */
  updates(): AsyncGenerator<Update<T>, void, undefined> {
    return this.#reading(true) as AsyncGenerator<Update<T>, void, undefined>
  }

  override addEventListener(
    type: 'freshness',
    listener: (event: Event) => void,
    options?: boolean | AddEventListenerOptions,
  ): void
  override addEventListener(
    type: never,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void
  override addEventListener(type: string, listener: never, options?: boolean | AddEventListenerOptions): void {
    super.addEventListener(type, listener, options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  #reading(all: boolean): AsyncGenerator<unknown, void, undefined> {
    return leaving(this.#read(all), () => this.close())
  }

  async *#read(all: boolean): AsyncGenerator<unknown, void, undefined> {
    try {
      for (;;) {
        const update = this.#reader.ready() ?? (await this.#reader.next())
        if (update === undefined) return
        if (update.type === 'interrupted' || update.type === 'renewing') this.#turn('stale')
        if (update.type === 'resumed') this.#turn('fresh')
        if (all) yield update
        else if (update.type === 'data') yield update.data
        else if (update.type === 'invalid') throw invalid(update.problem)
      }
    } finally {
      this.close()
    }
  }

  #turn(freshness: Freshness): void {
    if (this.#freshness === freshness) return
    this.#freshness = freshness
    this.dispatchEvent(new Event('freshness'))
  }
}

function invalid(problem: string): SteadyError {
  return new SteadyError({
    message: `cannot decode: ${problem}`,
    category: 'protocol',
    advice: 'reconcile',
    outcome: 'answered',
  })
}
