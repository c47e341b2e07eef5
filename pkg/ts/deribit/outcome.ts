/** What became of an order: every call that trades ends in an outcome, also when its answer is lost. */
import type { WaitOptions } from '../client.js'
import { RpcError, SteadyError } from '../errors.js'
import type { Order } from './account.js'
import type { DeribitClient } from './client.js'
import { DeribitCode } from './codes.js'
import type { OrderTarget } from './orders.js'

/** What became of a call that trades: `T` is the exchange's answer, `P` what finds out when there is none. */
export type TradeOutcome<T, P = PendingOrder> =
  /** The exchange did it. */
  | { outcome: 'accepted'; answer: T; error?: undefined; pending?: undefined }
  /** The exchange refused it: nothing was done. */
  | { outcome: 'rejected'; error: RpcError; answer?: undefined; pending?: undefined }
  /** It never left: nothing was done. */
  | { outcome: 'not-sent'; error: SteadyError; answer?: undefined; pending?: undefined }
  /** It left, and whether it was done is not known: `pending.resolve()` finds out. */
  | { outcome: 'unknown'; error: SteadyError; pending: P; answer?: undefined }

/** What became of a new order in the end: the exchange has it, and this is how it stands; or it never came and never will. */
export type OrderResolution = { found: true; order: Order } | { found: false; order?: undefined }

/** The outcome of a call. */
export async function outcomeOf<T, P>(call: Promise<T>, pending: () => P): Promise<TradeOutcome<T, P>> {
  try {
    return { outcome: 'accepted', answer: await call }
  } catch (error) {
    if (!(error instanceof SteadyError)) throw error
    if (error.outcome === 'rejected') return { outcome: 'rejected', error: error as RpcError }
    if (error.outcome === 'not-sent') return { outcome: 'not-sent', error }
    return { outcome: 'unknown', error, pending: pending() }
  }
}

/** A new order whose outcome is unknown. It keeps what is needed to find it. */
export class PendingOrder {
  readonly #client: DeribitClient
  /** The order's label, unique unless an exact one was asked for. */
  readonly label: string
  readonly instrument: string
  /** No earlier than this it was made, and from then on it is refused: in ms of the exchange's clock. */
  readonly born: number
  readonly validUntil: number

  /** @internal */
  constructor(client: DeribitClient, label: string, instrument: string, born: number, validUntil: number) {
    this.#client = client
    this.label = label
    this.instrument = instrument
    this.born = born
    this.validUntil = validUntil
  }

  /**
   * Finds out what became of the order.
   *
   * It waits for the connection as long as it takes, and goes on through more cuts. An order that is there is found by the
   * first look-up. That there is none is only certain some seconds after `validUntil`, since until then it may still be on
   * its way; so that takes as long as the call's timeout, and 6 seconds more. After an outage of 25 to 60 minutes it takes
   * until the hour is full, because meanwhile an order that ended may be in none of the venue's lists.
   *
   * Throws when the client has ended (resolve `by` another one of the account) or the account may not look.
   */
  async resolve({ by = this.#client, ...waiting }: ResolveOptions = {}): Promise<OrderResolution> {
    const pauses = new Pauses()
    for (;;) {
      const began = await now(by, waiting)
      try {
        const proof = this.#proof(began)
        for (const find of this.#lists(by, proof, waiting)) {
          const order = await find()
          if (order !== undefined) return { found: true, order }
        }
        // The round must not have taken longer than the list remembers.
        if ((proof === 'recent' || proof === 'history') && this.#proof(await now(by, waiting)) === proof) {
          return { found: false }
        }
        await pauses.wait(waiting, proof === 'early' ? settled(this.validUntil) - began + 1 : undefined)
      } catch (error) {
        await pauses.after(error, waiting)
      }
    }
  }

  /** What it would mean at this time when the order is in none of the lists: nothing yet, nothing, or that it never came
   * when it is not in this one either. */
  #proof(time: number): 'early' | 'between' | 'recent' | 'history' {
    if (time <= settled(this.validUntil)) return 'early'
    if (time - this.born < RECENT) return 'recent'
    return time - this.born > INDEXED ? 'history' : 'between'
  }

  *#lists(by: DeribitClient, proof: string, waiting: WaitOptions): Generator<() => Promise<Order | undefined>> {
    const labelled = (method: 'private/get_order_state_by_label' | 'private/get_open_orders_by_label') =>
      currencies(this.instrument).map((currency, index) => async () => {
        try {
          return this.#choose(await by.call(method, { currency, label: this.label }, waiting))
        } catch (error) {
          // The second of a pair is asked for in case: it need not be one that the exchange keeps accounts in.
          if (index > 0 && error instanceof SteadyError && error.outcome === 'rejected' && error.advice === 'change') return
          throw error
        }
      })
    yield* labelled('private/get_order_state_by_label')
    if (proof === 'early') return
    if (proof !== 'between') yield* labelled('private/get_open_orders_by_label')
    if (proof !== 'history') yield () => this.#lookBack(by, false, waiting)
    if (proof !== 'recent') yield () => this.#lookBack(by, true, waiting)
  }

  /** Looks through the orders of the instrument that ended, the newest first. */
  async #lookBack(by: DeribitClient, historical: boolean, waiting: WaitOptions): Promise<Order | undefined> {
    for (let offset = 0; ; offset += PAGE) {
      const page = { instrument_name: this.instrument, count: PAGE, offset, historical }
      const params = { ...page, include_old: true, include_unfilled: true }
      const orders = await by.call('private/get_order_history_by_instrument', params, waiting)
      const found = this.#choose(orders)
      // Whatever ended before it was born cannot be it, nor can what follows.
      const older = orders.some(({ last_update_timestamp: updated }) => updated + SLACK < this.born)
      if (found !== undefined || older || orders.length < PAGE) return found
    }
  }

  /** The order among those that were found. One that a trigger order made has the label, too, and is not the one that was
   * placed. */
  #choose(orders: Order[]): Order | undefined {
    const first = (one: Order, other: Order) =>
      Number(one.trigger_order_id !== undefined) - Number(other.trigger_order_id !== undefined) ||
      one.creation_timestamp - other.creation_timestamp
    const mine = (order: Order) =>
      order.label === this.label &&
      order.instrument_name === this.instrument &&
      (isUnique(this.label) || !(order.creation_timestamp < this.born))
    return orders.filter(mine).sort(first)[0]
  }
}

/** An edit whose outcome is unknown. */
export class PendingEdit {
  readonly #client: DeribitClient
  readonly target: OrderTarget
  /** From when on the exchange refuses the edit, in ms of its clock. */
  readonly validUntil: number

  /** @internal */
  constructor(client: DeribitClient, target: OrderTarget, validUntil: number) {
    this.#client = client
    this.target = target
    this.validUntil = validUntil
  }

  /** How the order stands, once the edit cannot change it any more: its price and amount show whether it was edited. It waits
   * as `PendingOrder.resolve` does, and throws as that, and an `RpcError` when the exchange does not know the order. */
  async resolve({ by = this.#client, ...waiting }: ResolveOptions = {}): Promise<Order> {
    const pauses = new Pauses()
    for (;;) {
      const asked = await now(by, waiting)
      try {
        const order = await this.#look(by, waiting)
        if (!isLive(order) || asked > settled(this.validUntil)) return order
        await pauses.wait(waiting, settled(this.validUntil) - asked + 1)
      } catch (error) {
        await pauses.after(error, waiting)
      }
    }
  }

  async #look(by: DeribitClient, waiting: WaitOptions): Promise<Order> {
    if (this.target.order_id !== undefined) return orderState(by, this.target.order_id, waiting)
    const { instrument_name: instrument, label } = this.target
    const found: Order[] = []
    for (const currency of currencies(instrument)) {
      found.push(...(await by.call('private/get_order_state_by_label', { currency, label }, waiting)))
    }
    // The one that was open is the newest.
    const newest = found
      .filter((order) => order.instrument_name === instrument)
      .sort((one, other) => Number(isLive(other)) - Number(isLive(one)) || other.creation_timestamp - one.creation_timestamp)[0]
    if (newest !== undefined) return newest
    const unknown = { message: 'no order has this label', code: DeribitCode.OrderNotFound, outcome: 'rejected' } as const
    throw new RpcError({ ...unknown, category: 'application', advice: 'change' })
  }
}

/** A cancellation whose outcome is unknown. */
export class PendingCancel {
  readonly #client: DeribitClient
  readonly orderId: string

  /** @internal */
  constructor(client: DeribitClient, orderId: string) {
    this.#client = client
    this.orderId = orderId
  }

  /** Makes sure that the order is not live any more, and says how it ended: it looks the order up, and while that is live
   * cancels it again, which does no harm. It waits as `PendingOrder.resolve` does, and throws as that, and an `RpcError` when
   * the exchange does not know the order, as it forgets after a while those that were cancelled without an execution. */
  async resolve({ by = this.#client, ...waiting }: ResolveOptions = {}): Promise<Order> {
    const pauses = new Pauses()
    for (;;) {
      await by.ready(waiting)
      try {
        const order = await orderState(by, this.orderId, waiting)
        return isLive(order) ? await by.call('private/cancel', { order_id: this.orderId }, waiting) : order
      } catch (error) {
        // It ended just now: look again.
        await (endedMeanwhile(error) ? pauses.wait(waiting) : pauses.after(error, waiting))
      }
    }
  }
}

export interface ResolveOptions extends WaitOptions {
  /** Another client of the same account, when the one that made the call has ended. */
  by?: DeribitClient
}

/** How long after `valid_until` the exchange may still be at work on an order that it began before: a request waits up to 5 s
 * for the lock on its account (10050), and the clocks of the venue's machines may differ a little. */
const SETTLING = 6_000
/** Orders that ended are among the recent ones for 30 minutes; less is relied upon. */
const RECENT = 25 * 60_000
/** They are in the history "after a short delay"; more is allowed for. */
const INDEXED = 60 * 60_000
/** The first pause between two rounds; each is twice as long as the one before. */
const FIRST_PAUSE = 500
const LONGEST_PAUSE = 15_000
/** The most that a page of the history holds. */
const PAGE = 1000
/** How far the times of the exchange's machines may differ. */
const SLACK = 60_000

const settled = (validUntil: number) => validUntil + SETTLING

/** How long to wait between questions: each time twice as long. */
class Pauses {
  #pause = FIRST_PAUSE

  /** No longer than `most`. */
  async wait(waiting: WaitOptions, most = Infinity): Promise<void> {
    const pause = Math.min(this.#pause, most)
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE)
    await sleep(pause, waiting)
  }

  /** After a question that failed, unless it cannot be answered later either: then this throws. */
  async after(error: unknown, waiting: WaitOptions): Promise<void> {
    if (!mayPass(error)) throw error
    await this.wait(waiting)
  }
}

async function sleep(time: number, { signal }: WaitOptions): Promise<void> {
  signal?.throwIfAborted()
  let done = () => {}
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, time)
    done = () => (clearTimeout(timer), resolve())
    signal?.addEventListener('abort', done, { once: true })
  })
  signal?.removeEventListener('abort', done)
  signal?.throwIfAborted()
}

/** The exchange's time at the earliest, once there is a connection. */
async function now(by: DeribitClient, waiting: WaitOptions): Promise<number> {
  for (const pauses = new Pauses(); ; await pauses.wait(waiting)) {
    await by.ready(waiting)
    const time = by.serverTime
    if (time !== undefined) return Math.floor(time.time - time.error)
  }
}

/** Whether a question that failed may be answered later. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof SteadyError) || error.outcome === 'answered') return false
  if (error.outcome === 'unknown') return true
  if (error.outcome === 'not-sent' && error.advice === 'reauthenticate') return false
  return error.advice !== 'change' && error.advice !== 'stop'
}

/** Whether a cancellation was refused because the order had ended. */
function endedMeanwhile(error: unknown): boolean {
  const { NotOpenOrder, AlreadyClosed, AlreadyFilled } = DeribitCode
  const codes: readonly number[] = [NotOpenOrder, AlreadyClosed, AlreadyFilled]
  return error instanceof RpcError && codes.includes(error.code)
}

function orderState(by: DeribitClient, order_id: string, waiting: WaitOptions): Promise<Order> {
  return by.call('private/get_order_state', { order_id }, waiting)
}

function isLive({ order_state: state }: Order): boolean {
  return state === 'open' || state === 'untriggered'
}

/** The currencies that an instrument may be counted under, the likelier first: `BTC-PERPETUAL` under BTC,
 * `BTC_USDC-PERPETUAL` under USDC; which of the two it is for `BTC_USDC`, which is spot, the venue does not say. */
function currencies(instrument: string): string[] {
  const [pair = instrument] = instrument.split('-')
  const [base = pair, quote] = pair.split('_')
  if (quote === undefined) return [pair]
  return pair.length < instrument.length ? [quote] : [quote, base]
}

const UNIQUE = /\.[0-9a-z]{14,23}$/

/** Whether a label has an ending that makes it unique. */
function isUnique(label: string): boolean {
  return UNIQUE.test(label)
}

/** What makes labels unlike any other: 64 random bits, and a number that is counted on. */
export class Labels {
  readonly #client = crypto.getRandomValues(new BigUint64Array(1))[0]!.toString(36).padStart(13, '0')
  #number = 0

  next(own: string): string {
    return `${own}.${this.#client}${(this.#number++).toString(36)}`
  }
}
