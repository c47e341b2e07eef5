import { abortable } from '../abort.js'
import { any, count, group as options, text } from '../check.js'
import type { BookCore, Core } from '../core.js'
import { wrong } from '../errors.js'
import { Frame } from '../frame.js'
import { leaving } from '../leaving.js'
import { type Takable, taking } from '../taking.js'

export interface BookOptions {
  /** How often the venue speaks: `100ms` by default; `agg2` is about once a second; `raw`, at every change, needs a
   * login. */
  interval?: 'raw' | '100ms' | 'agg2'
  /** Asks for the best levels alone, instead of all. Each message then holds all of them: that one was missed cannot be
   * noticed, and lasts until the next. */
  depth?: 1 | 10 | 20
  /** With `depth`: sums up the amounts in price steps of this size, such as `10`. Default: `none`. */
  group?: string
  /** Gives the book to its readers once per animation frame at most, inside the frame. Changes are applied as they come. */
  coalesce?: 'frame'
  /** Closes the book. */
  signal?: AbortSignal
}

/** Whether a book's levels are the venue's. `since` is when it was found not to be live, on the clock of
 * `performance.now()`. */
export type BookStatus =
  /** They are, as of `changeId`: nothing is known to be missing. */
  | { name: 'live' }
  /** They may be wrong, and nothing that mends them is under way yet. */
  | { name: 'stale'; since: number; reason: string }
  /** They may be wrong. The channel has been subscribed anew, and a snapshot is on its way. */
  | { name: 'resyncing'; since: number; reason: string }

/** What is offered at a price. Amounts are in USD for inverse contracts, else in the base coin. */
export interface Level {
  price: number
  amount: number
}

/** What an order would meet: the average price weighted by amount, the worst price, and how much of the order there is. */
export interface BookFill {
  price: number
  worst: number
  filled: number
}

/** What a book fires. */
export interface BookEventMap {
  /** `status` has changed. */
  status: Event
}

/**
 * An order book that is kept for you, and says when it is not to be trusted. Each change is applied as it comes; reading
 * never waits. Iterating gives the book itself, after each change of levels or status. Leaving the loop, aborting its
 * signal, or `close` leaves the channel.
 *
 * While `status` is not `live`, the levels are what was known last: show them greyed out, and do not quote on them. When
 * a message is missing the channel is subscribed anew, which brings a snapshot and touches no other channel.
 *
 * The venue sends one snapshot for each subscription, and all consumers of a channel share one. So a second book of a
 * channel has it subscribed anew, too, and the first is `resyncing` for that moment. Keep one book a channel.
 *
 * Fires `status` when `status` has changed.
 */
export class Book extends EventTarget implements AsyncIterable<Book>, AsyncDisposable {
  /** The instrument's name. */
  readonly instrument: string
  /** The channel's name. */
  readonly channel: string
  readonly #core: BookCore
  readonly #changes: { next(): Promise<boolean | undefined>; stop(): void }
  readonly #coalesce: boolean
  readonly #leave: () => void
  readonly #best = new Float64Array(2)
  readonly #frames = new Set<Frame>()
  /** What the core said of the status, and what was made of it. */
  #told: unknown
  #status: BookStatus = { name: 'resyncing', since: performance.now(), reason: 'no snapshot has come yet' }
  /** Counts changes. */
  #version = 0
  #waiting: (() => void)[] = []
  #closed = false

  /** @internal */
  constructor(core: BookCore, instrument: string, { coalesce, signal }: BookOptions) {
    super()
    this.instrument = instrument
    this.channel = core.channel() ?? ''
    this.#core = core
    this.#changes = taking(core as Takable<boolean>)
    this.#coalesce = coalesce === 'frame'
    const close = () => this.close()
    this.#leave = () => signal?.removeEventListener('abort', close)
    signal?.addEventListener('abort', close, { once: true })
    if (signal?.aborted) close()
    void this.#follow()
  }

  /** Whether the levels are the venue's. The same object until that changes. */
  get status(): BookStatus {
    const told = this.#core.status() as { name: BookStatus['name']; age: number; reason: string } | undefined
    // Nothing is told once it is closed.
    if (told !== undefined && told !== this.#told) {
      this.#told = told
      const { name, age, reason } = told
      this.#status = name === 'live' ? { name } : { name, since: performance.now() - age, reason }
    }
    return this.#status
  }

  /** Names this state of the book within its channel. Not consecutive, and not comparable between channels. */
  get changeId(): number {
    return this.#core.change_id()
  }

  /** When the book last changed, by the venue's clock, in milliseconds since 1970. */
  get timestamp(): number {
    return this.#core.timestamp()
  }

  /** The highest bid, as it was known last. */
  get bestBid(): Level | undefined {
    return this.#first(true)
  }

  /** The lowest ask, as it was known last. */
  get bestAsk(): Level | undefined {
    return this.#first(false)
  }

  /** The best `depth` bids, by default all: price, amount, price, amount, …, the best first. They are written to `into`
   * when that is given, as many as it holds, and a view of that part is returned. */
  bids(depth?: number, into?: Float64Array): Float64Array {
    return this.#levels(true, depth, into)
  }

  /** The best `depth` asks; see `bids`. */
  asks(depth?: number, into?: Float64Array): Float64Array {
    return this.#levels(false, depth, into)
  }

  /**
   * What an order of this size would meet if it took the book as it was known last: a buyer takes asks. `filled` is less
   * than `amount` when the book is too thin; nothing when that side is empty.
   */
  vwap(side: 'buy' | 'sell', amount: number): BookFill | undefined {
    return this.#core.fill(side === 'buy', amount) as BookFill | undefined
  }

  /** Leaves the channel. Its readers come to the end. */
  close(): void {
    this.#core.close()
    this.#end()
  }

  [Symbol.asyncIterator](): AsyncGenerator<Book, void, undefined> {
    return leaving(this.#read(), () => this.close())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  async *#read(): AsyncGenerator<Book, void, undefined> {
    const frame = new Frame()
    this.#frames.add(frame)
    try {
      for (let seen = 0; ; ) {
        while (this.#version === seen && !this.#closed) {
          await new Promise<void>((resolve) => this.#waiting.push(resolve))
        }
        if (this.#coalesce && !this.#closed) await frame.wait()
        if (this.#closed) return
        seen = this.#version
        yield this
      }
    } finally {
      this.#frames.delete(frame)
      this.close()
    }
  }

  override addEventListener<K extends keyof BookEventMap>(
    type: K,
    listener: (event: BookEventMap[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void
  override addEventListener(type: string, listener: never, options?: boolean | AddEventListenerOptions): void {
    super.addEventListener(type, listener, options)
  }

  /** Tells of each change, until the client or the book has ended. */
  async #follow(): Promise<void> {
    let told = this.status
    const { next } = this.#changes
    for (let change = await next(); change !== undefined; change = await next()) {
      this.#version++
      this.#wake()
      // Not for each change of levels: to ask costs as much as to apply one.
      if (change && told !== this.status) {
        told = this.status
        this.dispatchEvent(new Event('status'))
      }
    }
    this.#end()
  }

  /** Its readers come to the end. */
  #end(): void {
    if (this.#closed) return
    this.#closed = true
    this.#leave()
    this.#changes.stop()
    if (this.#status.name !== 'stale') {
      this.#status = { name: 'stale', since: performance.now(), reason: 'the book was closed' }
      this.dispatchEvent(new Event('status'))
    }
    this.#frames.forEach((frame) => frame.cancel())
    this.#wake()
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    waiting.forEach((resolve) => resolve())
  }

  #first(bids: boolean): Level | undefined {
    if (this.#core.levels(bids, this.#best) === 0) return undefined
    const [price, amount] = this.#best as unknown as [number, number]
    return { price, amount }
  }

  #levels(bids: boolean, depth = Infinity, into?: Float64Array): Float64Array {
    const count = Math.min(this.#core.depth(bids), Math.max(0, Math.floor(depth)))
    const array = into ?? new Float64Array(2 * count)
    const room = array.subarray(0, 2 * count)
    return room.subarray(0, 2 * this.#core.levels(bids, room))
  }
}

/** What a book's options may be; the interval is the core's to check. */
const CHECK = options<BookOptions>({
  interval: text,
  depth: count,
  group: text,
  coalesce: (value, field) => {
    if (value !== 'frame') throw wrong(field, 'must be frame')
  },
  signal: any,
})

/** Opens a book. */
export async function openBook(core: Core, instrument: string, given: BookOptions): Promise<Book> {
  text(instrument, 'instrument')
  CHECK(given, '')
  const { interval, depth, group, signal } = given
  if (group !== undefined && depth === undefined) throw wrong('group', 'goes with a depth')
  const opened = await abortable<BookCore>(
    signal,
    (cancel) => core.book(instrument, { interval, depth, group }, cancel),
    (book) => book.close(),
  )
  return new Book(opened, instrument, given)
}
