/** Deribit's public channels, and what each of them sends (docs.deribit.com). */

/** How often a channel speaks. `raw` needs a login. */
export type Interval = 'raw' | '100ms' | 'agg2'

/** How many levels of a side. */
export type Depth = 1 | 10 | 20

/** The names of the public channels that have types. */
export type DeribitChannel =
  | `ticker.${string}.${Interval}`
  | `quote.${string}`
  | `trades.${string}.${Interval}`
  | `book.${string}.${Interval}`
  | `deribit_price_index.${string}`

/** What a channel's name says about its data. */
export type DeribitData<C extends DeribitChannel> = C extends `ticker.${string}`
  ? Ticker
  : C extends `quote.${string}`
    ? Quote
    : C extends `trades.${string}`
      ? Trade[]
      : C extends `book.${string}.${string}.${Depth}.${Interval}`
        ? GroupedBook
        : C extends `book.${string}`
          ? BookMessage
          : PriceIndex

/** `ticker.{instrument}.{interval}` */
export interface Ticker {
  instrument_name: string
  /** Milliseconds since 1970. */
  timestamp: number
  state?: string
  best_bid_price: number | null
  best_bid_amount: number
  best_ask_price: number | null
  best_ask_amount: number
  last_price: number | null
  mark_price: number
  index_price: number
  min_price: number
  max_price: number
  open_interest?: number
  settlement_price?: number
  estimated_delivery_price?: number
  delivery_price?: number
  stats: { high: number | null; low: number | null; price_change: number | null; volume: number; volume_usd?: number }
  /** Perpetuals only. */
  current_funding?: number
  funding_8h?: number
  interest_value?: number
  /** Options only. */
  greeks?: { delta: number; gamma: number; vega: number; theta: number; rho: number }
  mark_iv?: number
  bid_iv?: number
  ask_iv?: number
  underlying_price?: number
  underlying_index?: string
  interest_rate?: number
}

/** `quote.{instrument}` */
export interface Quote {
  instrument_name: string
  timestamp: number
  best_bid_price: number | null
  best_bid_amount: number | null
  best_ask_price: number | null
  best_ask_amount: number | null
}

/** An element of `trades.{instrument}.{interval}` and `trades.{kind}.{currency}.{interval}` */
export interface Trade {
  trade_id: string
  trade_seq: number
  instrument_name: string
  timestamp: number
  direction: 'buy' | 'sell'
  price: number
  amount: number
  contracts?: number
  tick_direction: 0 | 1 | 2 | 3
  mark_price: number
  index_price: number
  iv?: number
  liquidation?: 'M' | 'T' | 'MT'
  block_trade_id?: string
  combo_id?: string
}

/** `book.{instrument}.{interval}`: a snapshot without `prev_change_id`, then changes that follow on one another. */
export interface BookMessage {
  type: 'snapshot' | 'change'
  timestamp: number
  instrument_name: string
  change_id: number
  prev_change_id?: number
  bids: BookChange[]
  asks: BookChange[]
}

/** What happened to a level, its price, and its new amount. */
export type BookChange = ['new' | 'change' | 'delete', number, number]

/** `book.{instrument}.{group}.{depth}.{interval}`: the top of the book, whole each time. */
export interface GroupedBook {
  timestamp: number
  instrument_name: string
  change_id: number
  bids: [price: number, amount: number][]
  asks: [price: number, amount: number][]
}

/** `deribit_price_index.{index}` */
export interface PriceIndex {
  index_name: string
  price: number
  timestamp: number
}
