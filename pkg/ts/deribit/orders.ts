/** Orders: what they can be, and what can be known to be wrong with them before they are sent. */
import { wrong } from '../errors.js'
import type { Instrument } from './market.js'
import type { Direction, Trigger } from './words.js'

/** An order to place. Combinations that the venue refuses are not of this type. */
export type PlacedOrder = (LimitOrder | MarketOrder | TriggerLimitOrder | TriggerMarketOrder | TrailingOrder) & Links

/** What all orders have. */
interface Common {
  instrument_name: string
  /** Yours, at most 40 characters: a unique ending follows it, by which the order is found again. */
  label?: string
  /** Only reduces a position. */
  reduce_only?: boolean
  /** The exchange refuses it after this time, in ms since 1970. By default, and at the latest, the end of the call's timeout. */
  valid_until?: number
}

/** In US dollars for inverse instruments, else in the base currency; or in contracts. */
type Size = { amount: number; contracts?: never } | { contracts: number; amount?: never }

/** How long a limit order waits. One that may not take (`post_only`) waits until it is cancelled. */
type Force =
  | { time_in_force?: 'good_til_cancelled'; post_only?: boolean; reject_post_only?: boolean; display_amount?: number }
  | { time_in_force: 'good_til_day'; post_only?: false; reject_post_only?: never; display_amount?: number }
  | { time_in_force: 'immediate_or_cancel' | 'fill_or_kill'; post_only?: false; reject_post_only?: never; display_amount?: never }

/** Market orders have no price, and so no time to wait for it. */
interface Unpriced {
  price?: never
  time_in_force?: never
  post_only?: never
  reject_post_only?: never
  display_amount?: never
  advanced?: never
  mmp?: never
}

/** Orders that go to the book at once. */
interface Untriggered {
  trigger?: never
  trigger_price?: never
  trigger_offset?: never
}

/** Orders that wait for a price. */
interface Triggered {
  /** Which price sets it off. */
  trigger: Trigger
  trigger_price: number
  trigger_offset?: never
  advanced?: never
  mmp?: never
}

export type LimitOrder = Common &
  Size &
  Force &
  Untriggered & {
    type?: 'limit'
    price: number
    /** Options only: the price is in US dollars or in volatility. */
    advanced?: 'usd' | 'implv'
    /** Watched by market maker protection. */
    mmp?: boolean
  }
export type MarketOrder = Common & Size & Unpriced & Untriggered & { type: 'market' }
export type TriggerLimitOrder = Common & Size & Force & Triggered & { type: 'stop_limit' | 'take_limit'; price: number }
export type TriggerMarketOrder = Common & Size & Unpriced & Triggered & { type: 'stop_market' | 'take_market' }
/** A stop that follows the best price at a distance. */
export type TrailingOrder = Common &
  Size &
  Unpriced & { type: 'trailing_stop'; trigger: Trigger; trigger_offset: number; trigger_price?: never }

/** Orders that follow it, for the same instrument. */
type Links =
  | { linked_order_type?: never; trigger_fill_condition?: never; otoco_config?: never }
  | {
      linked_order_type: 'one_triggers_other' | 'one_cancels_other'
      trigger_fill_condition?: 'first_hit' | 'complete_fill' | 'incremental'
      otoco_config: [Leg]
    }
  | {
      linked_order_type: 'one_triggers_one_cancels_other'
      trigger_fill_condition?: 'first_hit' | 'complete_fill' | 'incremental'
      otoco_config: [Leg, Leg]
    }

/** An order that follows another. */
export type Leg = { direction: Direction } & (
  | Omit<LimitOrder, 'instrument_name'>
  | Omit<MarketOrder, 'instrument_name'>
  | Omit<TriggerLimitOrder, 'instrument_name'>
  | Omit<TriggerMarketOrder, 'instrument_name'>
  | Omit<TrailingOrder, 'instrument_name'>
)

/** Which order to change: an `Order` is one. */
export type OrderTarget =
  | { instrument_name: string; order_id: string }
  | { instrument_name: string; order_id?: never; label: string }

/** Changes to an order. The size is what it has in all, executed parts included. */
export type OrderChanges = Size & {
  price?: number
  post_only?: boolean
  reject_post_only?: boolean
  reduce_only?: boolean
  advanced?: 'usd' | 'implv'
  trigger_price?: number
  trigger_offset?: number
  display_amount?: number
  mmp?: boolean
  /** As for a new order. */
  valid_until?: number
}

/** The most characters of a label, and of one that is made unique. */
const LABEL = 64
const OWN_LABEL = 40

/** What of a label is its owner's. */
export function checkLabel(label: unknown, exact: boolean): string {
  if (label === undefined && !exact) return ''
  if (typeof label !== 'string' || label === '') throw wrong('label', 'must be a text that is not empty')
  const most = exact ? LABEL : OWN_LABEL
  const count = [...label].length
  if (count > most) throw wrong('label', `has ${count} characters where ${most} are allowed`)
  // What the exchange makes of it could not be recognized.
  if (/\p{Surrogate}/u.test(label)) throw wrong('label', 'has half of a surrogate pair')
  return label
}

/** When the exchange is to refuse a call that it would refuse at `end` at the latest: in whole ms. */
export function checkEnd(wanted: number | undefined, end: number): number {
  if (wanted !== undefined && !Number.isFinite(wanted)) throw wrong('valid_until', 'is not a time in ms')
  return Math.floor(Math.min(wanted ?? end, end))
}

/** An order or its changes as they are now, whatever their owner makes of them while they are prepared. */
export function copyOf<T extends object>(order: T): T {
  const { otoco_config: legs } = order as Sent
  return legs ? { ...order, otoco_config: legs.map((leg) => ({ ...leg })) } : { ...order }
}

type Numbers = Partial<Record<'amount' | 'contracts' | 'price' | 'trigger_price' | 'trigger_offset' | 'display_amount', number>>
type Sent = Numbers & { advanced?: string; type?: string; time_in_force?: string; post_only?: boolean; otoco_config?: Sent[] }

/** An order or its changes as they may be sent: numbers without what arithmetic left behind. */
export function checkOrder<T>(order: T & object, instrument: Instrument): T {
  const sent: Sent = { ...order }
  if (instrument.is_active === false) throw wrong('instrument_name', `${instrument.instrument_name} does not trade`)
  checkSize(sent, instrument)
  if (sent.post_only && (sent.time_in_force ?? 'good_til_cancelled') !== 'good_til_cancelled') {
    throw wrong('post_only', `does not go with ${sent.time_in_force}`)
  }
  if (sent.advanced === undefined) checkPrice(sent, 'price', instrument)
  else if (sent.price !== undefined) checkPositive(sent, 'price')
  checkPrice(sent, 'trigger_price', instrument)
  if (sent.trigger_offset !== undefined) checkPositive(sent, 'trigger_offset')
  if (sent.otoco_config) sent.otoco_config = sent.otoco_config.map((leg) => checkOrder(leg, instrument))
  return sent as T
}

/** A new order, besides. */
export function checkNew(order: Sent): void {
  const priced = ['limit', 'stop_limit', 'take_limit'].includes(order.type ?? 'limit')
  if (priced && order.price === undefined) throw wrong('price', 'is missing')
  if (!priced && order.price !== undefined) throw wrong('price', `does not go with ${order.type}`)
  if (!priced && order.post_only) throw wrong('post_only', `does not go with ${order.type}`)
  if (/^(stop|take)_/.test(order.type ?? '') && order.trigger_price === undefined) {
    throw wrong('trigger_price', 'is missing')
  }
  if (order.type === 'trailing_stop' && order.trigger_offset === undefined) throw wrong('trigger_offset', 'is missing')
  order.otoco_config?.forEach(checkNew)
}

function checkSize(order: Sent, instrument: Instrument): void {
  const { contract_size: contract, min_trade_amount: least } = instrument
  const step = Math.min(contract, least)
  const field = order.amount === undefined ? 'contracts' : 'amount'
  if (order[field] === undefined) throw wrong('amount', 'is missing: what the order has in all')
  if (typeof order[field] !== 'number') throw wrong(field, 'must be a number')
  const amount = order.amount ?? Number(order.contracts) * contract
  const valid = onStep(amount, step)
  if (valid === undefined || valid < least) {
    throw wrong(field, `${amount} is not an amount of at least ${least} in steps of ${step}`)
  }
  if (field === 'amount') order.amount = valid
  if (order.display_amount === undefined) return
  const shown = onStep(order.display_amount, step)
  if (shown === undefined || shown < 100 * least || valid - shown >= 100 * shown) {
    const problem = `is not at least ${100 * least}, in steps of ${step}, and more than a hundredth of what is hidden`
    throw wrong('display_amount', `${order.display_amount} ${problem}`)
  }
  order.display_amount = shown
}

function checkPositive(order: Sent, field: 'price' | 'trigger_offset'): void {
  if (!(Number.isFinite(order[field]) && Number(order[field]) > 0)) throw wrong(field, 'is not a positive number')
}

function checkPrice(order: Sent, field: 'price' | 'trigger_price', instrument: Instrument): void {
  const price = order[field]
  if (price === undefined) return
  const tick = tickSize(instrument, price)
  const valid = onStep(price, tick)
  if (valid === undefined) throw wrong(field, `${price} is not a multiple of ${tick}`)
  order[field] = valid
}

/** The step of prices at this price. Steps of higher prices begin above their bound; on it both fit. */
function tickSize({ tick_size, tick_size_steps }: Instrument, price: number): number {
  let [tick, bound] = [tick_size, -Infinity]
  for (const step of tick_size_steps ?? []) {
    if (Math.abs(price) > step.above_price && step.above_price > bound) [tick, bound] = [step.tick_size, step.above_price]
  }
  return tick
}

/** How far a number may be from a multiple, in steps, to count as one. */
const TOLERANCE = 1e-6

/** The number with no more digits after the point than the step has, when it is a multiple of it. */
function onStep(value: number, step: number): number | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined
  const steps = Math.round(value / step)
  // Also where a number is too large to be divided.
  if (!(Math.abs(value / step - steps) <= TOLERANCE)) return undefined
  return Number((steps * step).toFixed(places(step)))
}

function places(step: number): number {
  const [digits = '', exponent = '0'] = String(step).split('e')
  return Math.max(0, (digits.split('.')[1]?.length ?? 0) - Number(exponent))
}
