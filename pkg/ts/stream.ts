import type { Updates } from './core.js'
import { SteadyError } from './errors.js'
import type { Disconnected } from './state.js'

/** Whether what was read last is still true: `stale` from an interruption until data flows again. */
export type Freshness = 'fresh' | 'stale'

/** What a consumer receives, in order. */
export type Update<T> =
  | { type: 'data'; data: T }
  /** This many updates were lost before what comes next, because the consumer was too slow. */
  | { type: 'lagged'; count: number }
  /** The connection ended: there is no data until `resumed`, and what was sent meanwhile is missed. */
  | { type: 'interrupted'; reason: Disconnected }
  /** The server confirmed the channel again, or data flows again. */
  | { type: 'resumed' }
  /** The server refused the channel after a reconnect. It is asked for again from time to time. */
  | { type: 'refused'; reason: string }
  /** The queue was full and its policy is `close`: this is the last update. */
  | { type: 'overflowed' }
  /** The data is not of the expected form. */
  | { type: 'invalid'; problem: string }

/**
 * Data of one channel. Iterating gives the data; `updates()` gives also what happened to it, in order. Leaving the loop,
 * aborting its signal, or `close` leaves the channel. It has one reader.
 *
 * Fires `freshness` when `freshness` changes, which is when the reader comes to that place in the stream.
 */
export class Stream<T> extends EventTarget implements AsyncIterable<T>, AsyncDisposable {
  readonly #updates: Updates
  readonly #decode: (text: never) => T
  readonly #leave: () => void
  #freshness: Freshness = 'fresh'

  /** @internal */
  constructor(updates: Updates, decode: (item: never) => T, signal?: AbortSignal) {
    super()
    this.#updates = updates
    this.#decode = decode
    const leave = () => updates.close()
    signal?.addEventListener('abort', leave, { once: true })
    if (signal?.aborted) leave()
    this.#leave = () => {
      signal?.removeEventListener('abort', leave)
      leave()
    }
  }

  /** How many updates were dropped or replaced because the reader was too slow. */
  get dropped(): number {
    return this.#updates.dropped()
  }

  /** Whether what was read last is still true. */
  get freshness(): Freshness {
    return this.#freshness
  }

  /** Leaves the channel. Whoever waits for data comes to the end. */
  close(): void {
    this.#leave()
  }

  /** The data alone. What cannot be read as JSON throws. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for await (const update of this.updates()) {
      if (update.type === 'data') yield update.data
      else if (update.type === 'invalid') throw invalid(update.problem)
    }
  }

  /** The data, and what happened to it, in order. */
  async *updates(): AsyncGenerator<Update<T>, void, undefined> {
    try {
      for (;;) {
        const next: unknown = this.#updates.next()
        const item = next instanceof Promise ? ((await next) as unknown) : next
        if (item === undefined) return
        yield this.#read(item)
      }
    } finally {
      this.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  #read(item: unknown): Update<T> {
    if (!Array.isArray(item)) {
      try {
        return { type: 'data', data: this.#decode(item as never) }
      } catch {
        return { type: 'invalid', problem: 'not valid JSON' }
      }
    }
    const [type, detail] = item as [Update<T>['type'], never]
    if (type === 'interrupted') this.#turn('stale')
    if (type === 'resumed') this.#turn('fresh')
    switch (type) {
      case 'lagged':
        return { type, count: detail }
      case 'interrupted':
      case 'refused':
        return { type, reason: detail }
      case 'invalid':
        return { type, problem: detail }
      default:
        return { type } as Update<T>
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
