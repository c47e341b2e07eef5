import { SteadyError } from './errors.js'
import { type Pace, Reader, type Source } from './reader.js'
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
    source: Source,
    decode: (data: never) => unknown,
    signal?: AbortSignal,
    pace: Pace = 'each',
  ) {
    super()
    this.channel = channel
    this.#reader = new Reader(source, decode, pace)
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

  /** A generator by hand: the language's own passes each value through three promises. */
  #reading(all: boolean): AsyncGenerator<unknown, void, undefined> {
    let left = false
    const leave = () => {
      left = true
      this.close()
    }
    const take = (update: Update<unknown> | undefined, settle: Settle): boolean => {
      if (update === undefined || left) {
        leave()
        settle.resolve(DONE)
        return true
      }
      if (update.type === 'interrupted' || update.type === 'renewing') this.#turn('stale')
      if (update.type === 'resumed') this.#turn('fresh')
      if (all) settle.resolve({ done: false, value: update })
      else if (update.type === 'data') settle.resolve({ done: false, value: update.data })
      else if (update.type === 'invalid') {
        leave()
        settle.reject(invalid(update.problem))
      } else return false
      return true
    }
    const next = () => {
      if (left) return Promise.resolve(DONE)
      return new Promise<IteratorResult<unknown, void>>((resolve, reject) => {
        this.#reader.next((update) => take(update, { resolve, reject }))
      })
    }
    const end = async (value: void | PromiseLike<void>) => {
      leave()
      return { done: true, value: await value } as const
    }
    const fail = (error: unknown) => {
      leave()
      return Promise.reject(error)
    }
    const reading: AsyncGenerator<unknown, void, undefined> = {
      next,
      return: end,
      throw: fail,
      [Symbol.asyncIterator]: () => reading,
      [Symbol.asyncDispose]: async () => leave(),
    }
    return reading
  }

  #turn(freshness: Freshness): void {
    if (this.#freshness === freshness) return
    this.#freshness = freshness
    this.dispatchEvent(new Event('freshness'))
  }
}

interface Settle {
  resolve(result: IteratorResult<unknown, void>): void
  reject(error: unknown): void
}

const DONE = { done: true, value: undefined } as const

function invalid(problem: string): SteadyError {
  return new SteadyError({
    message: `cannot decode: ${problem}`,
    category: 'protocol',
    advice: 'reconcile',
    outcome: 'answered',
  })
}
