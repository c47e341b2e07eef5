/** Market data, with the venue's own names (docs.deribit.com). Times are milliseconds since 1970. Members with `?` come for
 * some instruments only, or are known to be missing at times. */
import type {
  Currency,
  Direction,
  InstrumentStatus,
  Kind,
  Liquidation,
  TickDirection,
} from './words.js'

/** `ticker.{instrument}.{interval}`, `public/ticker` */
export interface Ticker {
  instrument_name: string
  timestamp: number
  state: InstrumentStatus
  /** Missing side: `null` or 0. */
  best_bid_price: number | null
  best_bid_amount: number | null
  best_ask_price: number | null
  best_ask_amount: number | null
  last_price: number | null
  mark_price: number
  index_price: number
  min_price: number
  max_price: number
  /** Not for spot. */
  open_interest?: number
  settlement_price?: number | null
  estimated_delivery_price?: number
  /** Once it was delivered. */
  delivery_price?: number
  /** Of the last 24 hours. */
  stats: DayStats
  /** Perpetuals only. */
  current_funding?: number
  funding_8h?: number
  interest_value?: number
  /** Options only. */
  greeks?: Greeks
  mark_iv?: number
  bid_iv?: number
  ask_iv?: number
  underlying_price?: number
  underlying_index?: string
  interest_rate?: number
}

export interface DayStats {
  high: number | null
  low: number | null
  /** In percent. */
  price_change: number | null
  volume: number
  volume_usd?: number
  volume_notional?: number
}

export interface Greeks {
  delta: number
  gamma: number
  vega: number
  theta: number
  rho: number
}

/** `incremental_ticker.{instrument}`: the whole first, then what changed, to be merged into it, `stats` included. */
export type IncrementalTicker =
  | (Ticker & { type: 'snapshot' })
  | (Partial<Omit<Ticker, 'stats' | 'greeks'>> & {
      type: 'change'
      instrument_name: string
      timestamp: number
      stats?: Partial<DayStats>
      greeks?: Partial<Greeks>
    })

/** `quote.{instrument}` */
export interface Quote {
  instrument_name: string
  timestamp: number
  /** Missing side: `null` or 0. */
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
  /** The taker's. */
  direction: Direction
  price: number
  amount: number
  contracts?: number
  tick_direction: TickDirection
  mark_price: number
  index_price: number
  /** Options only. */
  iv?: number
  liquidation?: Liquidation
  block_trade_id?: string
  block_trade_leg_count?: number
  block_rfq_id?: number
  combo_id?: string
  combo_trade_id?: string | number
  /** Trades of a combo only. Each also comes on its own instrument's channel. */
  legs?: Trade[]
}

/** `book.{instrument}.{interval}`: a snapshot without `prev_change_id`, then changes that follow on one another. */
export interface BookMessage {
  type: 'snapshot' | 'change'
  timestamp: number
  instrument_name: string
  change_id: number
  prev_change_id?: number | null
  bids: BookChange[]
  asks: BookChange[]
}

/** What happened to a level, its price, and its new amount. */
export type BookChange = [action: 'new' | 'change' | 'delete', price: number, amount: number]

/** `book.{instrument}.{group}.{depth}.{interval}`: the top of the book, whole each time. */
export interface GroupedBook {
  timestamp: number
  instrument_name: string
  change_id: number
  bids: BookLevel[]
  asks: BookLevel[]
}

export type BookLevel = [price: number, amount: number]

/** `chart.trades.{instrument}.{resolution}`: the newest bar, again and again until `tick` moves on. */
export interface Bar {
  /** When the bar began. */
  tick: number
  open: number
  high: number
  low: number
  close: number
  volume: number
  cost: number
  status?: string
}

/** `perpetual.{instrument}.{interval}` */
export interface Perpetual {
  timestamp: number
  interest: number
  index_price: number
}

/** `deribit_price_index.{index}` */
export interface PriceIndex {
  index_name: string
  price: number
  timestamp: number
}

/** An element of `deribit_price_ranking.{index}`: what one exchange adds to an index. */
export interface PriceRank {
  identifier: string
  enabled: boolean
  /** In percent. */
  weight: number
  price: number | null
  original_price: number | null
  timestamp: number | null
}

/** `deribit_price_statistics.{index}`, of the last 24 hours */
export interface PriceStatistics {
  index_name: string
  low24h: number
  high24h: number
  change24h: number
  high_volatility: boolean
}

/** `deribit_volatility_index.{index}` */
export interface VolatilityIndex {
  index_name: string
  timestamp: number
  volatility: number
}

/** An element of `markprice.options.{index}` */
export interface OptionMark {
  instrument_name: string
  timestamp: number
  mark_price: number
  iv: number
}

/** `estimated_expiration_price.{index}` */
export interface EstimatedExpirationPrice {
  is_estimated: boolean
  price: number
  /** Until the expiration. */
  seconds: number
}

/** `instrument.state.{kind}.{currency}` */
export interface InstrumentState {
  instrument_name: string
  timestamp: number
  state: InstrumentStatus
}

/** `public/get_instrument`, `instrument.creation.{kind}.{currency}` */
export interface Instrument {
  instrument_name: string
  instrument_id: number
  kind: Kind
  base_currency: Currency
  quote_currency: Currency
  counter_currency?: Currency
  settlement_currency?: Currency
  price_index: string
  tick_size: number
  /** Above these prices the tick is another. */
  tick_size_steps: { above_price: number; tick_size: number }[]
  min_trade_amount: number
  contract_size: number
  instrument_type?: 'linear' | 'reversed' | (string & {})
  settlement_period?: string
  creation_timestamp: number
  /** A perpetual's is in the year 3000. */
  expiration_timestamp: number
  is_active: boolean
  state?: InstrumentStatus
  rfq?: boolean
  /** Options only. */
  strike?: number
  option_type?: 'call' | 'put' | (string & {})
  /** Futures only. */
  max_leverage?: number
  max_liquidation_commission?: number
  future_type?: 'linear' | 'reversed' | (string & {})
  maker_commission: number
  taker_commission: number
  block_trade_commission?: number
  block_trade_min_trade_amount?: number
  block_trade_tick_size?: number
}

/** `platform_state` */
export type PlatformState =
  | { price_index: string; locked: boolean; reasons?: unknown[]; maintenance?: undefined }
  | { maintenance: boolean; price_index?: undefined; locked?: undefined }

/** `platform_state.public_methods_state` */
export interface PublicMethodsState {
  allow_unauthenticated_public_requests: boolean
}

/** `public/get_announcements`, `announcements`. The venue documents only the method's; the channel's may have others. */
export interface Announcement {
  id?: number
  title?: string
  body?: string
  publication_timestamp?: number
  important?: boolean
}

/** `block_rfq.trades.{currency}` */
export interface BlockRfqTrade {
  id: number
  timestamp: number
  direction: Direction
  amount: number
  mark_price: number
  combo_id?: string | null
  legs: { instrument_name: string; direction: Direction; price: number; ratio: number }[]
  trades: { direction: Direction; price: number; amount: number; hedge_amount?: number }[]
  index_prices?: Record<string, number>
}
