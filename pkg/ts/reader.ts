import { Frame } from './frame.js'
import type { Takable } from './taking.js'
import type { Update } from './update.js'

/** How data is handed out: each as it comes, or held back until the next animation frame, and then only the newest, or
 * all as one array. */
export type Pace = 'each' | 'newest' | 'batch'

/** What the core gives: data as it was received, news as an array that starts with its name. */
type News = [type: string, detail: never]
type Data = string | object

/** What a reader needs of the core. */
export interface Source extends Takable<unknown> {
  dropped(): number
  waiting(): number
  renew(): void
  close(): void
}

/** Takes an update, or nothing at the end. Whether that was what it waited for. */
export type Taker = (update: Update<unknown> | undefined) => boolean

/** Takes updates out of the core in their order, and decodes what is handed out. What another value replaces in a frame
 * is never decoded. */
export class Reader {
  readonly #source: Source
  readonly #decode: (data: never) => unknown
  readonly #pace: Pace
  readonly #frame = new Frame()
  /** What was taken and comes next. */
  readonly #ahead: Update<unknown>[] = []
  /** Those who wait, in their order. */
  readonly #takers: Taker[] = []
  #replaced = 0
  #held = false
  #closed = false

  constructor(source: Source, decode: (data: never) => unknown, pace: Pace) {
    this.#source = source
    this.#decode = decode
    this.#pace = pace
    source.on_ready(() => this.#ring())
  }

  /** How many values were dropped or replaced before they were read. */
  get dropped(): number {
    return this.#source.dropped() + this.#replaced
  }

  /** How many updates wait. */
  get waiting(): number {
    return this.#source.waiting() + this.#ahead.length
  }

  /** Gives `taker` the next update, at once or once there is one. */
  next(taker: Taker): void {
    this.#takers.push(taker)
    if (this.#takers.length === 1) this.#serve()
  }

  renew(): void {
    this.#source.renew()
  }

  /** Whoever waits comes to the end. */
  close(): void {
    this.#closed = true
    this.#ahead.length = 0
    this.#source.close()
    this.#frame.cancel()
    this.#serve()
  }

  /** The core calls this from within, where nobody else's code must run: data goes to who waits, and is theirs once the
   * core is done; all else waits for that, too. */
  #ring(): void {
    while (this.#pace === 'each' && this.#takers.length > 0 && this.#ahead.length === 0) {
      const item = this.#source.take() as Data | News | null | undefined
      if (item === null) return
      if (item === undefined) break
      const update = this.#one(item)
      if (update.type !== 'data') {
        this.#ahead.push(update)
        break
      }
      this.#takers.shift()?.(update)
    }
    if (this.#takers.length > 0) queueMicrotask(() => this.#serve())
  }

  /** Gives those who wait what there is. */
  #serve(): void {
    for (let taker = this.#takers.shift(); taker !== undefined; taker = this.#takers.shift()) {
      if (this.#ahead.length === 0 && !this.#closed && !this.#fetch()) {
        this.#takers.unshift(taker)
        return
      }
      if (!taker(this.#ahead.shift())) this.#takers.unshift(taker)
    }
  }

  /** Takes what comes next, or comes to the end; `false` if that has to be waited for. */
  #fetch(): boolean {
    // Data that waits for a frame must not be taken before that.
    if (this.#held) return false
    const item = this.#source.take() as Data | News | null | undefined
    if (item === null) return false
    if (item === undefined) return true
    if (this.#pace === 'each' || Array.isArray(item)) return this.#ahead.push(this.#one(item)) > 0
    void this.#hold(item)
    return false
  }

  async #hold(first: Data): Promise<void> {
    this.#held = true
    await this.#frame.wait()
    this.#held = false
    if (!this.#closed) this.#gather(first)
    this.#serve()
  }

  /** All that waits, in order: of the data between two pieces of news a batch, or of all data only the newest. */
  #gather(first: Data): void {
    let items: (Data | News)[] = []
    for (let item: Data | News | null | undefined = first; item; item = this.#source.take() as typeof item) {
      if (this.#pace === 'newest' && !Array.isArray(item)) {
        const before = items.length
        items = items.filter(Array.isArray)
        this.#replaced += before - items.length
      }
      items.push(item)
    }
    let batch: unknown[] = []
    const flush = () => {
      if (batch.length > 0) this.#ahead.push({ type: 'data', data: batch })
      batch = []
    }
    for (const update of items.map((item) => this.#one(item))) {
      if (this.#pace === 'batch' && update.type === 'data') {
        batch.push(update.data)
        continue
      }
      flush()
      this.#ahead.push(update)
    }
    flush()
  }

  #one(item: Data | News): Update<unknown> {
    if (Array.isArray(item)) return news(item as News)
    try {
      return { type: 'data', data: this.#decode(item as never) }
    } catch {
      return { type: 'invalid', problem: 'not valid JSON' }
    }
  }
}

function news([type, detail]: News): Update<unknown> {
  switch (type) {
    case 'lagged':
      return { type, count: detail }
    case 'interrupted':
    case 'refused':
      return { type, reason: detail }
    case 'invalid':
      return { type, problem: detail }
    default:
      return { type } as Update<unknown>
  }
}
