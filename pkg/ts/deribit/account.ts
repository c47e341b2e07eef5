/** An account's own data, with the venue's own names (docs.deribit.com). Times are milliseconds since 1970. */
import type {
  BlockRfqState,
  CancelReason,
  Currency,
  Direction,
  Kind,
  Liquidation,
  MarginModel,
  OrderState,
  OrderType,
  TickDirection,
  TimeInForce,
  Trigger,
} from './words.js'

/** `user.orders.…`, and what order methods answer */
export interface Order {
  order_id: string
  order_state: OrderState
  order_type: OrderType
  original_order_type?: OrderType
  instrument_name: string
  direction: Direction
  time_in_force: TimeInForce
  /** A trigger order that becomes a market order has none. */
  price: number | 'market_price'
  amount: number
  contracts?: number
  /** Not before an order is triggered. */
  filled_amount?: number
  average_price?: number | null
  label: string
  post_only: boolean
  reject_post_only?: boolean
  reduce_only?: boolean
  creation_timestamp: number
  last_update_timestamp: number
  cancel_reason?: CancelReason
  api: boolean
  web?: boolean
  mobile?: boolean
  app_name?: string
  user_id?: number
  replaced?: boolean
  auto_replaced?: boolean
  is_liquidation?: boolean
  is_rebalance?: boolean
  risk_reducing?: boolean
  display_amount?: number
  refresh_amount?: number
  max_show?: number | null
  commission?: number
  profit_loss?: number | null
  block_trade?: boolean
  /** Trigger orders only. */
  trigger?: Trigger
  trigger_price?: number
  trigger_offset?: number | null
  trigger_reference_price?: number
  trigger_order_id?: string
  trigger_fill_condition?: 'first_hit' | 'complete_fill' | 'incremental' | (string & {})
  triggered?: boolean
  stop_price?: number
  stop_order_id?: string
  /** Options only. */
  advanced?: 'usd' | 'implv' | (string & {})
  usd?: number
  implv?: number
  /** Quotes and market maker protection. */
  quote?: boolean
  quote_id?: string
  quote_set_id?: string
  mmp?: boolean
  mmp_group?: string
  mmp_cancelled?: boolean
  /** Linked orders. */
  oto_order_ids?: string[]
  oco_ref?: string
  is_primary_otoco?: boolean
  is_secondary_oto?: boolean
  primary_order_id?: string
}

/** An element of `user.trades.…`, and of what order methods answer */
export interface UserTrade {
  trade_id: string
  trade_seq: number
  order_id: string
  order_type: OrderType
  state: OrderState | 'archive'
  instrument_name: string
  direction: Direction
  price: number
  amount: number
  contracts?: number
  /** Negative for a rebate. */
  fee: number
  fee_currency: Currency
  /** Maker or taker. */
  liquidity: 'M' | 'T' | (string & {})
  timestamp: number
  mark_price: number
  index_price: number
  tick_direction: TickDirection
  matching_id?: string | null
  label?: string
  iv?: number
  underlying_price?: number
  liquidation?: Liquidation
  profit_loss?: number | null
  post_only?: boolean
  reduce_only?: boolean
  risk_reducing?: boolean
  mmp?: boolean
  api?: boolean
  advanced?: 'usd' | 'implv' | (string & {})
  user_id?: number
  self_trade?: boolean
  block_trade_id?: string
  block_rfq_id?: number
  combo_id?: string
  combo_trade_id?: string | number
  /** Trades of a combo only. */
  legs?: UserTrade[]
  quote_id?: string
  quote_set_id?: string
}

/** `private/get_position` */
export interface Position {
  instrument_name: string
  kind: Kind
  direction: Direction | 'zero'
  /** Futures: in quote currency. Options: in base currency. */
  size: number
  /** Futures only: in base currency. */
  size_currency?: number
  average_price: number
  average_price_usd?: number
  mark_price: number
  index_price: number
  settlement_price?: number
  floating_profit_loss: number
  floating_profit_loss_usd?: number
  realized_profit_loss: number
  total_profit_loss: number
  initial_margin: number
  maintenance_margin: number
  open_orders_margin?: number
  leverage?: number
  estimated_liquidation_price?: number | null
  delta: number
  /** Options only. */
  gamma?: number
  vega?: number
  theta?: number
  /** Perpetuals only. */
  realized_funding?: number
  interest_value?: number
}

/** `user.changes.…` */
export interface UserChanges {
  instrument_name: string
  trades: UserTrade[]
  positions: Position[]
  orders: Order[]
}

/** `user.portfolio.{currency}`, and what account summaries have in common */
export interface Portfolio {
  currency: Currency
  equity: number
  balance: number
  margin_balance: number
  available_funds: number
  available_withdrawal_funds: number
  initial_margin: number
  maintenance_margin: number
  projected_initial_margin?: number
  projected_maintenance_margin?: number
  additional_reserve?: number
  spot_reserve?: number
  fee_balance?: number
  locked_balance?: number
  total_pl: number
  session_upl: number
  session_rpl: number
  futures_pl: number
  futures_session_upl: number
  futures_session_rpl: number
  options_pl: number
  options_session_upl: number
  options_session_rpl: number
  options_value: number
  options_delta: number
  options_gamma: number
  options_vega: number
  options_theta: number
  options_gamma_map?: Record<string, number>
  options_vega_map?: Record<string, number>
  options_theta_map?: Record<string, number>
  delta_total: number
  delta_total_map?: Record<string, number>
  projected_delta_total?: number
  estimated_liquidation_ratio?: number
  estimated_liquidation_ratio_map?: Record<string, number>
  margin_model?: MarginModel
  portfolio_margining_enabled?: boolean
  cross_collateral_enabled?: boolean
  total_equity_usd?: number
  total_margin_balance_usd?: number
  total_initial_margin_usd?: number
  total_maintenance_margin_usd?: number
  total_delta_total_usd?: number
}

/** `private/get_account_summary`; most of it only with `extended` */
export interface AccountSummary extends Portfolio {
  id?: number
  email?: string
  username?: string
  system_name?: string
  type?: string
  creation_timestamp?: number
  deposit_address?: string
  /** The account's real rate limits. */
  limits?: Record<string, unknown>
  fees?: unknown[]
  [member: string]: unknown
}

/** `user.access_log` */
export interface AccessLog {
  id: number
  timestamp: number
  log: string
  ip: string
  country: string
  city: string
}

/** `user.lock` */
export interface UserLock {
  locked: boolean
  currency: Currency | 'ALL'
}

/** `user.mmp_trigger.{index}`, whose members the venue does not document */
export interface MmpTrigger {
  index_name?: string
  /** When it ends; 0 when it must be reset by hand. */
  frozen_until?: number
}

/** `block_trade_confirmations` */
export interface BlockTradeConfirmation {
  nonce: string
  role: 'maker' | 'taker'
  user_id?: number
  app_name?: string
  timestamp: number
  state: { value: string; timestamp: number }
  counterparty_state?: { value: string; timestamp: number }
  trades: { instrument_name: string; direction: Direction; price: number; amount: number }[]
}

/** `block_rfq.maker.{currency}` and `block_rfq.taker.{currency}` */
export interface BlockRfq {
  block_rfq_id: number
  state: BlockRfqState
  role: 'maker' | 'taker' | 'any'
  amount: number
  min_trade_amount?: number
  combo_id: string | null
  legs: { instrument_name: string; direction: Direction; ratio: number }[]
  hedge?: { instrument_name: string; direction: Direction; price: number; amount: number }
  creation_timestamp: number
  expiration_timestamp: number
  label?: string
  taker?: string
  taker_rating?: string
  disclosed?: boolean
  makers?: string[]
  mark_price?: number
  /** Takers only. */
  bids?: BlockRfqOffer[]
  asks?: BlockRfqOffer[]
}

export interface BlockRfqOffer {
  price: number
  amount: number
  makers: string[]
  last_update_timestamp: number
  execution_instruction?: 'all_or_none' | 'any_part_of' | (string & {})
  expires_at?: number
}

/** An element of `block_rfq.maker.quotes.{currency}` */
export interface BlockRfqQuote {
  block_rfq_quote_id: number
  block_rfq_id: number
  quote_state: string
  quote_state_reason?: string
  direction: Direction
  price: number
  amount: number
  filled_amount: number
  legs: { instrument_name: string; direction: Direction; price: number; ratio: number }[]
  hedge?: { instrument_name: string; direction: Direction; price: number; amount: number }
  label?: string
  replaced: boolean
  execution_instruction?: 'all_or_none' | 'any_part_of' | (string & {})
  creation_timestamp: number
  last_update_timestamp: number
}
