import type { Updates } from './core.js'
import { Frame } from './frame.js'
import type { Update } from './update.js'

/** How data is handed out: each as it comes, or held back until the next animation frame, and then only the newest, or
 * all as one array. */
export type Pace = 'each' | 'newest' | 'batch'

/** What the core gives: data as it was received, news as an array that starts with its name. */
type News = [type: string, detail: never]
type Data = string | object

/** Takes updates out of the core in their order, and decodes what is handed out. What another value replaces in a frame
 * is never decoded. */
export class Reader {
  readonly #updates: Updates
  readonly #decode: (data: never) => unknown
  readonly #pace: Pace
  readonly #frame = new Frame()
  /** What was taken and comes next. */
  readonly #ahead: Update<unknown>[] = []
  #replaced = 0
  #closed = false
  /** What is waited for: the core and the frame each know of one that waits. */
  #turn: Promise<Update<unknown> | undefined> | undefined

  constructor(updates: Updates, decode: (data: never) => unknown, pace: Pace) {
    this.#updates = updates
    this.#decode = decode
    this.#pace = pace
  }

  /** How many values were dropped or replaced before they were read. */
  get dropped(): number {
    return this.#updates.dropped() + this.#replaced
  }

  /** How many updates wait. */
  get waiting(): number {
    return this.#updates.waiting() + this.#ahead.length
  }

  /** The next update if nothing has to be waited for. */
  ready(): Update<unknown> | undefined {
    if (this.#ahead.length > 0) return this.#ahead.shift()
    // Data that waits for a frame must not be taken before that, nor what another reader waits for.
    if (this.#pace !== 'each' || this.#turn !== undefined) return undefined
    const item = this.#updates.take() as Data | News | null | undefined
    return item === null || item === undefined ? undefined : this.#one(item)
  }

  /** The next update; nothing at the end. */
  async next(): Promise<Update<unknown> | undefined> {
    while (this.#turn !== undefined) await this.#turn
    if (this.#ahead.length > 0) return this.#ahead.shift()
    this.#turn = this.#wait()
    try {
      return await this.#turn
    } finally {
      this.#turn = undefined
    }
  }

  async #wait(): Promise<Update<unknown> | undefined> {
    const item = (await this.#updates.next()) as Data | News | undefined
    if (item === undefined || this.#closed) return undefined
    if (this.#pace === 'each' || Array.isArray(item)) return this.#one(item)
    await this.#frame.wait()
    if (this.#closed) return undefined
    this.#gather(item)
    return this.#ahead.shift()
  }

  renew(): void {
    this.#updates.renew()
  }

  /** Whoever waits comes to the end. */
  close(): void {
    this.#closed = true
    this.#ahead.length = 0
    this.#updates.close()
    this.#frame.cancel()
  }

  /** All that waits, in order: of the data between two pieces of news a batch, or of all data only the newest. */
  #gather(first: Data): void {
    let items: (Data | News)[] = []
    for (let item: Data | News | null | undefined = first; item; item = this.#updates.take() as typeof item) {
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
