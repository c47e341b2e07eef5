/** Bars of a price chart, from an exchange's own bars or from trades. */
import type { Bar as Sent, Chart as History } from 'steadysocket'

export interface Bar {
  /** When it begins, in seconds since 1970. */
  time: number
  open: number
  high: number
  low: number
  close: number
  volume: number
}

/** How many bars are kept. */
export const KEPT = 1_000

/** An exchange's history as bars; columns of unequal length are cut to the shortest. */
export function fromHistory({ ticks, open, high, low, close, volume }: History): Bar[] {
  const count = Math.min(...[ticks, open, high, low, close, volume].map(({ length }) => length))
  const at = (column: number[], index: number) => column[index] ?? 0
  return Array.from({ length: count }, (_, index) => ({
    time: Math.floor(at(ticks, index) / 1_000),
    open: at(open, index),
    high: at(high, index),
    low: at(low, index),
    close: at(close, index),
    volume: at(volume, index),
  }))
}

/** A bar of `chart.trades.*`. */
export function fromSent({ tick, open, high, low, close, volume }: Sent): Bar {
  return { time: Math.floor(tick / 1_000), open, high, low, close, volume }
}

/** The newest bars of one length. */
export class Bars {
  readonly seconds: number
  #list: Bar[] = []

  constructor(seconds: number) {
    this.seconds = seconds
  }

  get list(): readonly Bar[] {
    return this.#list
  }

  replace(bars: Bar[]): void {
    this.#list = bars.slice(-KEPT)
  }

  /** Takes a trade into its bar, and gives that bar; nothing for a trade that is older than the newest bar. */
  trade(price: number, amount: number, ms: number): Bar | undefined {
    const time = Math.floor(ms / 1_000 / this.seconds) * this.seconds
    const last = this.#list.at(-1)
    if (last !== undefined && time < last.time) return undefined
    if (last?.time !== time) return this.put({ time, open: price, high: price, low: price, close: price, volume: amount })
    last.high = Math.max(last.high, price)
    last.low = Math.min(last.low, price)
    last.close = price
    last.volume += amount
    return last
  }

  /** Replaces the newest bar, or begins the next; an older one is ignored. */
  put(bar: Bar): Bar | undefined {
    const last = this.#list.at(-1)
    if (last !== undefined && bar.time < last.time) return undefined
    if (last?.time === bar.time) this.#list.pop()
    this.#list.push(bar)
    if (this.#list.length > KEPT) this.#list.shift()
    return bar
  }
}
