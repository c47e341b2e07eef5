/** A stand-in with the interface of the package's maintained book, until the package has it. */
import type { BookChange, BookMessage, DeribitClient, Stream } from 'steadysocket'

export interface Level {
  price: number
  amount: number
}

export type BookStatus = { name: 'live' } | { name: 'stale' | 'resyncing'; since: number; reason: string }

type Prices = Map<number, number>

export class Book extends EventTarget implements AsyncIterable<Book> {
  readonly channel: `book.${string}.100ms`
  status: BookStatus = { name: 'resyncing', since: performance.now(), reason: 'no snapshot yet' }
  changeId = 0
  timestamp = 0
  readonly #client: DeribitClient
  readonly #signal: AbortSignal
  readonly #sides: [bids: Prices, asks: Prices] = [new Map(), new Map()]
  #stream: Stream<BookMessage> | undefined

  constructor(client: DeribitClient, instrument: string, signal: AbortSignal) {
    super()
    this.#client = client
    this.#signal = signal
    this.channel = `book.${instrument}.100ms`
  }

  get bestBid(): Level | undefined {
    return best(this.bids(1))
  }

  get bestAsk(): Level | undefined {
    return best(this.asks(1))
  }

  bids(depth = Infinity, into?: Float64Array): Float64Array {
    return flat([...this.#sides[0]].sort((a, b) => b[0] - a[0]).slice(0, depth), into)
  }

  asks(depth = Infinity, into?: Float64Array): Float64Array {
    return flat([...this.#sides[1]].sort((a, b) => a[0] - b[0]).slice(0, depth), into)
  }

  close(): void {
    this.#stream?.close()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Book, void, undefined> {
    for (;;) {
      this.#stream = (await this.#client.subscribe(this.channel, { signal: this.#signal })) as Stream<BookMessage>
      for await (const update of this.#stream.updates()) {
        if (update.type === 'interrupted') this.#turn('stale', 'connection lost')
        if (update.type === 'lagged') break
        if (update.type === 'data' && !this.#apply(update.data)) break
        yield this
      }
      if (this.#signal.aborted) return
      this.#turn('resyncing', 'a message was lost')
      yield this
    }
  }

  /** Whether the message follows on the last one. */
  #apply(message: BookMessage): boolean {
    const snapshot = message.type === 'snapshot'
    if (!snapshot && message.prev_change_id !== this.changeId) return false
    if (snapshot) for (const side of this.#sides) side.clear()
    change(this.#sides[0], message.bids)
    change(this.#sides[1], message.asks)
    this.changeId = message.change_id
    this.timestamp = message.timestamp
    if (this.status.name !== 'live') this.#become({ name: 'live' })
    return true
  }

  #turn(name: 'stale' | 'resyncing', reason: string): void {
    const since = this.status.name === 'live' ? performance.now() : this.status.since
    this.#become({ name, since, reason })
  }

  #become(status: BookStatus): void {
    this.status = status
    this.dispatchEvent(new Event('status'))
  }
}

function change(side: Prices, changes: BookChange[]): void {
  for (const [action, price, amount] of changes) {
    if (action === 'delete' || amount === 0) side.delete(price)
    else side.set(price, amount)
  }
}

function flat(levels: [number, number][], into?: Float64Array): Float64Array {
  const target = into !== undefined && into.length >= 2 * levels.length ? into : new Float64Array(2 * levels.length)
  levels.forEach(([price, amount], index) => target.set([price, amount], 2 * index))
  return target.subarray(0, 2 * levels.length)
}

function best(levels: Float64Array): Level | undefined {
  const [price, amount] = levels
  return price === undefined || amount === undefined ? undefined : { price, amount }
}
