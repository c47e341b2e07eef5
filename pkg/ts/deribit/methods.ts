/** Deribit's methods that have types (docs.deribit.com, OpenAPI 2.1.1). All others can be called too, and answer `unknown`. */
import type { AccountSummary, Order, Position, UserTrade } from './account.js'
import type { Announcement, BookLevel, Instrument, Ticker, Trade } from './market.js'
import type {
  Currency,
  Direction,
  Kind,
  LinkedOrderType,
  OrderType,
  Resolution,
  TimeInForce,
  Trigger,
} from './words.js'

/** Each method's parameters and result. */
export interface DeribitMethods {
  'public/get_time': Method<None, number>
  'public/test': Method<{ expected_result?: 'exception' }, { version: string }>
  'public/status': Method<None, Status>

  'public/get_currencies': Method<None, CurrencyInfo[]>
  'public/get_instruments': Method<{ currency: Currency | 'any'; kind?: Kind; expired?: boolean }, Instrument[]>
  'public/get_instrument': Method<ByInstrument, Instrument>
  'public/get_contract_size': Method<ByInstrument, { contract_size: number }>
  'public/get_expirations': Method<
    { currency: Currency | 'any' | 'grouped'; kind: 'future' | 'option' | 'any'; currency_pair?: string },
    Record<string, unknown>
  >

  'public/ticker': Method<ByInstrument, Ticker>
  'public/get_order_book': Method<ByInstrument & { depth?: 1 | 5 | 10 | 20 | 50 | 100 | 1000 | 10000 }, OrderBookSnapshot>
  'public/get_last_trades_by_instrument': Method<ByInstrument & BySequence & ByTime & Page, Trades<Trade>>
  'public/get_last_trades_by_instrument_and_time': Method<ByInstrument & ByTime & Page, Trades<Trade>>
  'public/get_last_trades_by_currency': Method<ByCurrency & ById & ByTime & Page, Trades<Trade>>
  'public/get_last_trades_by_currency_and_time': Method<ByCurrency & ByTime & Page, Trades<Trade>>
  'public/get_book_summary_by_currency': Method<ByCurrency, BookSummary[]>
  'public/get_book_summary_by_instrument': Method<ByInstrument, BookSummary[]>
  'public/get_tradingview_chart_data': Method<ByInstrument & Span & { resolution: Resolution }, Chart>

  'public/get_index_price': Method<{ index_name: string }, { index_price: number; estimated_delivery_price: number }>
  'public/get_index_price_names': Method<{ extended?: boolean }, unknown[]>
  'public/get_delivery_prices': Method<
    { index_name: string; offset?: number; count?: number },
    { data: { date: string; delivery_price: number }[]; records_total: number }
  >
  'public/get_volatility_index_data': Method<
    { currency: Currency; resolution: Resolution } & Span,
    { data: [time: number, open: number, high: number, low: number, close: number][]; continuation: number | null }
  >
  'public/get_historical_volatility': Method<{ currency: Currency }, [time: number, volatility: number][]>
  'public/get_mark_price_history': Method<ByInstrument & Span, [time: number, price: number][]>
  'public/get_funding_rate_history': Method<ByInstrument & Span, FundingRate[]>
  'public/get_funding_rate_value': Method<ByInstrument & Span, number>
  'public/get_trade_volumes': Method<{ extended?: boolean }, TradeVolumes[]>
  'public/get_announcements': Method<{ start_timestamp?: number; count?: number }, Announcement[]>

  'private/get_account_summary': Method<{ currency: Currency; subaccount_id?: number; extended?: boolean }, AccountSummary>
  'private/get_account_summaries': Method<
    { subaccount_id?: number; extended?: boolean },
    { summaries: AccountSummary[]; [member: string]: unknown }
  >
  'private/get_positions': Method<{ currency?: Currency | 'any'; kind?: Kind; subaccount_id?: number }, Position[]>
  'private/get_position': Method<ByInstrument, Position>
  'private/get_margins': Method<
    ByInstrument & { amount: number; price: number },
    { buy: number; sell: number; min_price: number; max_price: number }
  >

  'private/get_open_orders': Method<{ kind?: Kind; type?: OpenOrderType }, Order[]>
  'private/get_open_orders_by_instrument': Method<ByInstrument & { type?: OpenOrderType }, Order[]>
  'private/get_open_orders_by_currency': Method<ByCurrency & { type?: OpenOrderType }, Order[]>
  'private/get_open_orders_by_label': Method<{ currency: Currency; label?: string }, Order[]>
  'private/get_order_state': Method<{ order_id: string }, Order>
  'private/get_order_state_by_label': Method<{ currency: Currency; label?: string }, Order[]>
  'private/get_order_history_by_instrument': Method<ByInstrument & History, Order[]>
  'private/get_order_history_by_currency': Method<ByCurrency & History, Order[]>
  'private/get_user_trades_by_instrument': Method<ByInstrument & BySequence & ByTime & UserPage, Trades<UserTrade>>
  'private/get_user_trades_by_instrument_and_time': Method<ByInstrument & Span & UserPage, Trades<UserTrade>>
  'private/get_user_trades_by_currency': Method<
    ByCurrency & ById & ByTime & UserPage & { subaccount_id?: number },
    Trades<UserTrade>
  >
  'private/get_user_trades_by_currency_and_time': Method<ByCurrency & Span & UserPage, Trades<UserTrade>>
  'private/get_user_trades_by_order': Method<{ order_id: string } & Omit<UserPage, 'count'>, UserTrade[]>

  'private/buy': Method<NewOrder, OrderOutcome>
  'private/sell': Method<NewOrder, OrderOutcome>
  'private/edit': Method<{ order_id: string; display_amount?: number; trigger_offset?: number } & Edit, OrderOutcome>
  'private/edit_by_label': Method<ByInstrument & { label?: string } & Edit, OrderOutcome>
  'private/cancel': Method<{ order_id: string }, Order>
  /** How many were cancelled, or with `detailed` what became of each. */
  'private/cancel_all': Method<CancelHow, number | unknown[]>
  'private/cancel_all_by_instrument': Method<
    ByInstrument & CancelHow & { type?: CancelType; include_combos?: boolean },
    number | unknown[]
  >
  'private/cancel_all_by_currency': Method<ByCurrency & CancelHow & { type?: CancelType }, number | unknown[]>
  'private/cancel_all_by_kind_or_type': Method<
    { currency: Currency | 'any' | Currency[]; kind?: Kind; type?: CancelType } & CancelHow,
    number | unknown[]
  >
  'private/cancel_by_label': Method<{ label: string; currency?: Currency }, number>
  'private/close_position': Method<ByInstrument & { type: 'limit' | 'market'; price?: number }, OrderOutcome>

  'private/enable_cancel_on_disconnect': Method<CancelScope, 'ok'>
  'private/disable_cancel_on_disconnect': Method<CancelScope, 'ok'>
  'private/get_cancel_on_disconnect': Method<CancelScope, { scope: 'connection' | 'account'; enabled: boolean }>
}

/** Parameters and result of a method. */
interface Method<Params, Result> {
  params: Params
  result: Result
}

type None = Record<string, never>
type ByInstrument = { instrument_name: string }
type ByCurrency = { currency: Currency | 'any'; kind?: Kind | 'any' }
type BySequence = { start_seq?: number; end_seq?: number }
type ById = { start_id?: string; end_id?: string }
type ByTime = { start_timestamp?: number; end_timestamp?: number }
type Span = { start_timestamp: number; end_timestamp: number }
type Page = { count?: number; sorting?: 'asc' | 'desc' | 'default' }
type UserPage = Page & { historical?: boolean }
type Trades<T> = { trades: T[]; has_more: boolean }
type History = {
  count?: number
  offset?: number
  include_old?: boolean
  include_unfilled?: boolean
  historical?: boolean
}
type CancelHow = { detailed?: boolean; freeze_quotes?: boolean }
type CancelScope = { scope?: 'connection' | 'account' }
type CancelType = 'all' | 'limit' | 'trigger_all' | 'stop' | 'take' | 'trailing_stop' | (string & {})
type OpenOrderType =
  | 'all'
  | 'limit'
  | 'trigger_all'
  | `stop_${'all' | 'limit' | 'market'}`
  | `take_${'all' | 'limit' | 'market'}`
  | `trailing_${'all' | 'stop'}`
  | (string & {})

/** Parameters of `private/buy` and `private/sell`. One of `amount` and `contracts` is needed; if both are given they must
 * agree. */
export interface NewOrder {
  instrument_name: string
  amount?: number
  contracts?: number
  /** Default `limit`. */
  type?: OrderType
  price?: number
  /** At most 64 characters. */
  label?: string
  time_in_force?: TimeInForce
  post_only?: boolean
  reject_post_only?: boolean
  reduce_only?: boolean
  display_amount?: number
  refresh_amount?: number
  trigger?: Trigger
  trigger_price?: number
  trigger_offset?: number
  advanced?: 'usd' | 'implv'
  mmp?: boolean
  /** The server refuses it after this time, in ms since 1970. */
  valid_until?: number
  linked_order_type?: LinkedOrderType
  trigger_fill_condition?: 'first_hit' | 'complete_fill' | 'incremental'
  otoco_config?: Partial<NewOrder & { direction: Direction }>[]
}

interface Edit {
  amount?: number
  contracts?: number
  price?: number
  post_only?: boolean
  reject_post_only?: boolean
  reduce_only?: boolean
  advanced?: 'usd' | 'implv'
  trigger_price?: number
  mmp?: boolean
  valid_until?: number
}

/** What an order method answers: the order as it is now, and what was traded at once. */
export interface OrderOutcome {
  order: Order
  trades: UserTrade[]
}

/** `public/status` */
export interface Status {
  locked: boolean | 'true' | 'partial' | 'false'
  locked_indices?: string[]
  locked_currencies?: string[]
}

/** An element of `public/get_currencies` */
export interface CurrencyInfo {
  currency: Currency
  currency_long: string
  coin_type: string
  decimals?: number
  min_confirmations?: number
  min_withdrawal_fee?: number
  withdrawal_fee?: number
  withdrawal_priorities?: { name: string; value: number }[]
  network_currency?: string
  network_fee?: number
  apr?: number
  in_cross_collateral_pool?: boolean
}

/** `public/get_order_book` */
export interface OrderBookSnapshot extends Omit<Ticker, 'stats'> {
  change_id: number
  bids: BookLevel[]
  asks: BookLevel[]
  stats: Ticker['stats']
}

/** An element of `public/get_book_summary_by_currency` and `public/get_book_summary_by_instrument` */
export interface BookSummary {
  instrument_name: string
  base_currency: Currency
  quote_currency: Currency
  creation_timestamp: number
  bid_price: number | null
  ask_price: number | null
  mid_price: number | null
  mark_price: number
  last: number | null
  low: number | null
  high: number | null
  price_change: number | null
  volume: number
  volume_usd?: number
  volume_notional?: number
  open_interest: number
  estimated_delivery_price?: number
  current_funding?: number
  funding_8h?: number
  mark_iv?: number
  interest_rate?: number
  underlying_price?: number
  underlying_index?: string
}

/** `public/get_tradingview_chart_data`: one list for each member of a bar */
export interface Chart {
  status: 'ok' | 'no_data' | (string & {})
  ticks: number[]
  open: number[]
  high: number[]
  low: number[]
  close: number[]
  volume: number[]
  cost: number[]
}

/** An element of `public/get_funding_rate_history` */
export interface FundingRate {
  timestamp: number
  index_price: number
  prev_index_price: number
  interest_1h: number
  interest_8h: number
}

/** An element of `public/get_trade_volumes` */
export interface TradeVolumes {
  currency: Currency
  calls_volume: number
  puts_volume: number
  futures_volume: number
  spot_volume: number
  calls_volume_7d?: number
  calls_volume_30d?: number
  puts_volume_7d?: number
  puts_volume_30d?: number
  futures_volume_7d?: number
  futures_volume_30d?: number
  spot_volume_7d?: number
  spot_volume_30d?: number
}
