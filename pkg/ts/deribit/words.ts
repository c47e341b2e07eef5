/** The venue's words. It adds new ones without notice, so each list is open: any other text is allowed too. */
type Open<T extends string> = T | (string & {})

/** How often a channel speaks: with each change (`raw`, which needs a login), ten times a second, or once. */
export type Interval = 'raw' | '100ms' | 'agg2'

/** How many levels of a side. */
export type Depth = 1 | 10 | 20

/** How many prices are one level; which ones there are depends on the instrument. */
export type Group = 'none' | `${number}`

/** A bar's length in minutes, or a day. */
export type Resolution = `${number}` | '1D'

export type Currency = Open<'BTC' | 'ETH' | 'USDC' | 'USDT' | 'EURR'>

export type Kind = Open<'future' | 'option' | 'spot' | 'future_combo' | 'option_combo'>

export type Direction = 'buy' | 'sell'

/** How the price moved since the trade before: up, the same after up, the same after down, down. */
export type TickDirection = 0 | 1 | 2 | 3

/** Which side of a trade was liquidated: maker, taker or both. */
export type Liquidation = Open<'M' | 'T' | 'MT'>

export type InstrumentStatus = Open<
  | 'open'
  | 'locked'
  | 'settlement'
  | 'delivered'
  | 'inactive'
  | 'halted'
  | 'archivized'
  | 'created'
  | 'started'
  | 'settled'
  | 'closed'
  | 'terminated'
>

export type OrderType = Open<
  | 'limit'
  | 'market'
  | 'stop_limit'
  | 'stop_market'
  | 'take_limit'
  | 'take_market'
  | 'market_limit'
  | 'trailing_stop'
>

export type OrderState = Open<'open' | 'filled' | 'rejected' | 'cancelled' | 'untriggered' | 'triggered'>

export type TimeInForce = Open<'good_til_cancelled' | 'good_til_day' | 'fill_or_kill' | 'immediate_or_cancel'>

/** Which price sets off a trigger order. */
export type Trigger = Open<'index_price' | 'mark_price' | 'last_price'>

export type CancelReason = Open<
  | 'user_request'
  | 'autoliquidation'
  | 'cancel_on_disconnect'
  | 'risk_mitigation'
  | 'pme_risk_reduction'
  | 'pme_account_locked'
  | 'position_locked'
  | 'mmp_trigger'
  | 'mmp_config_curtailment'
  | 'edit_post_only_reject'
  | 'oco_other_closed'
  | 'oto_primary_closed'
  | 'settlement'
>

export type LinkedOrderType = Open<'one_triggers_other' | 'one_cancels_other' | 'one_triggers_one_cancels_other'>

export type MarginModel = Open<'cross_pm' | 'cross_sm' | 'segregated_pm' | 'segregated_sm'>

export type BlockRfqState = Open<'open' | 'created' | 'filled' | 'traded' | 'cancelled' | 'expired' | 'closed'>
