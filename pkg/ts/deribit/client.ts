import { abortable } from '../abort.js'
import { any, count, flag, group, text, time } from '../check.js'
import { type BatchOptions, type CallOptions, Client, type SubscribeOptions, type WaitOptions } from '../client.js'
import { open, type Source, type Url } from '../connect.js'
import { SteadyError, wrong } from '../errors.js'
import { OPTIONS, type Options } from '../options.js'
import type { Stream } from '../stream.js'
import type { Order } from './account.js'
import { type Book, type BookOptions, openBook } from './book.js'
import type { DeribitChannel, DeribitData } from './channels.js'
import type { Instrument } from './market.js'
import type { DeribitMethods, OrderOutcome } from './methods.js'
import { checkEnd, checkLabel, checkNew, checkOrder, copyOf, type OrderChanges, type OrderTarget, type PlacedOrder } from './orders.js'
import { Labels, outcomeOf, PendingCancel, PendingEdit, PendingOrder, type TradeOutcome } from './outcome.js'
import type { Direction } from './words.js'

/** How a call that trades is made. It takes no signal: an order that had left when it was given up may be live. */
export interface TradeOptions {
  /** How long it may take, waiting included, in ms. The exchange refuses the order after that. Default: `callTimeout`. */
  timeout?: number
}

export interface PlaceOptions extends TradeOptions {
  /** Sends the label as it is, of at most 64 characters. That no other order of the account has it is then your duty: an
   * unknown outcome may else be resolved to another order with the same label. */
  exactLabel?: boolean
}

/** A client whose channels and methods have types. */
export class DeribitClient extends Client {
  readonly #labels = new Labels()
  readonly #instruments = new Map<string, { instrument: Instrument; until: number }>()

  /** Calls a method; see `Client.call`. The methods in `DeribitMethods` have types, all others answer `T`. */
  override call<M extends keyof DeribitMethods>(
    method: M,
    ...rest: Rest<DeribitMethods[M]['params']>
  ): Promise<DeribitMethods[M]['result']>
  override call<T = unknown, M extends string = string>(
    method: M extends keyof DeribitMethods ? never : M,
    params?: object,
    options?: CallOptions,
  ): Promise<T>
  override call(method: string, params?: unknown, options?: CallOptions): Promise<unknown> {
    return super.call(method, params, options)
  }

  /** Subscribes to a channel, once the server has confirmed it; see `Client.subscribe`. */
  override subscribe<C extends DeribitChannel>(
    channel: C,
    options?: SubscribeOptions,
  ): Promise<Stream<DeribitData<C>>>
  override subscribe<C extends DeribitChannel>(
    channel: C,
    options: BatchOptions,
  ): Promise<Stream<DeribitData<C>[]>>
  override subscribe<C extends DeribitChannel>(
    channel: C,
    options: SubscribeOptions | BatchOptions,
  ): Promise<Stream<DeribitData<C>> | Stream<DeribitData<C>[]>>
  override subscribe(channel: string, options?: SubscribeOptions | BatchOptions): Promise<Stream<never>> {
    return super.subscribe(channel, options as SubscribeOptions) as Promise<Stream<never>>
  }

  /**
   * Places an order to buy, whatever its outcome turns out to be.
   *
   * Every order has a label that no other has, of which yours is the readable part, and a `valid_until` at the end of the
   * call's timeout, after which the exchange refuses it. So whatever happens to the connection, it can be found out what
   * became of it. Throws only when the order cannot be placed, as checked against its instrument before it is sent: a price
   * off its tick, a label that is too long. All else is the outcome.
   *
   * ```ts
   * const order = { instrument_name: 'BTC-PERPETUAL', amount: 10, price: 50_000, label: 'first' }
   * const placed = await deribit.buy(order, { timeout: 2000 })
   * if (placed.outcome === 'accepted') console.log(placed.answer.order.order_state)
   * else if (placed.outcome === 'unknown') console.log(await placed.pending.resolve())
   * else console.log(placed.error.message)
   * ```
   */
  buy(order: PlacedOrder, options?: PlaceOptions): Promise<TradeOutcome<OrderOutcome>> {
    return this.place('buy', order, options)
  }

  /** Places an order to sell; see `buy`. */
  sell(order: PlacedOrder, options?: PlaceOptions): Promise<TradeOutcome<OrderOutcome>> {
    return this.place('sell', order, options)
  }

  /** Places an order on either side; see `buy`. */
  async place(
    side: Direction,
    given: PlacedOrder,
    options: PlaceOptions = {},
  ): Promise<TradeOutcome<OrderOutcome>> {
    checkPlace(options, '')
    const { timeout, exactLabel = false } = options
    const order = copyOf(given)
    const own = checkLabel(order.label, exactLabel)
    checkNew(order)
    checkEnd(order.valid_until, Infinity)
    const prepared = await this.#prepare(order.instrument_name, timeout)
    if ('outcome' in prepared) return prepared
    const { instrument, born, left } = prepared
    const label = exactLabel ? own : this.#labels.next(own)
    const valid_until = checkEnd(order.valid_until, born + left)
    const params = { ...checkOrder(order, instrument), label, valid_until }
    return outcomeOf(
      this.call(`private/${side}`, params, { timeout: left }),
      () => new PendingOrder(this, label, order.instrument_name, born, valid_until),
    )
  }

  /** Changes an order: `private/edit`, or `private/edit_by_label` for one that is named by its label. Throws only what is
   * wrong with the changes; see `buy`. */
  async edit(
    which: OrderTarget,
    given: OrderChanges,
    trade: TradeOptions = {},
  ): Promise<TradeOutcome<OrderOutcome, PendingEdit>> {
    checkTrade(trade, '')
    const [target, changes] = [{ ...which }, copyOf(given)]
    if (target.order_id === undefined) checkLabel(target.label, true)
    checkEnd(changes.valid_until, Infinity)
    const prepared = await this.#prepare(target.instrument_name, trade.timeout)
    if ('outcome' in prepared) return prepared
    const { instrument, born, left } = prepared
    const valid_until = checkEnd(changes.valid_until, born + left)
    const params = { ...checkOrder(changes, instrument), valid_until }
    const options = { timeout: left }
    const { instrument_name, order_id } = target
    const call =
      order_id === undefined
        ? this.call('private/edit_by_label', { instrument_name, label: target.label, ...params }, options)
        : this.call('private/edit', { order_id, ...params }, options)
    return outcomeOf(call, () => new PendingEdit(this, target, valid_until))
  }

  /** Cancels an order: `private/cancel`. It goes ahead of orders that wait. */
  async cancel(orderId: string, options: TradeOptions = {}): Promise<TradeOutcome<Order, PendingCancel>> {
    checkTrade(options, '')
    const call = this.call('private/cancel', { order_id: orderId }, options)
    return outcomeOf(call, () => new PendingCancel(this, orderId))
  }

  /** What a call that trades needs to know before it is made, within its time; or why it is not made. */
  async #prepare(
    name: string,
    wanted: number | undefined,
  ): Promise<Prepared | (TradeOutcome<never, never> & { outcome: 'rejected' | 'not-sent' })> {
    const timeout = Math.min(wanted ?? this.core.call_timeout(), LONGEST)
    const deadline = performance.now() + timeout
    const found = await outcomeOf(this.#instrument(name, timeout), () => undefined)
    const left = Math.floor(deadline - performance.now())
    const time = this.serverTime
    if (found.outcome === 'rejected') return found
    if (found.outcome === 'accepted' && time !== undefined && left > 0) {
      return { instrument: found.answer, born: Math.floor(time.time - time.error), left }
    }
    if (found.outcome === 'not-sent') return found
    // Whatever became of the question, the order itself was not sent.
    const problem = found.error?.message ?? (left > 0 ? 'the exchange does not tell the time' : 'the deadline passed')
    return { outcome: 'not-sent', error: new SteadyError({ ...NOT_SENT, message: `not sent: ${problem}` }) }
  }

  /** An instrument, asked for again from time to time, since its ticks may change. */
  async #instrument(name: string, timeout: number): Promise<Instrument> {
    const known = this.#instruments.get(name)
    if (known !== undefined && performance.now() < known.until) return known.instrument
    const instrument = await this.call('public/get_instrument', { instrument_name: name }, { timeout })
    if (this.#instruments.size >= MOST_INSTRUMENTS) this.#instruments.clear()
    this.#instruments.set(name, { instrument, until: performance.now() + INSTRUMENT_LIFE })
    return instrument
  }

  /** What the venue's clock says now, known from its replies: milliseconds since 1970, and how far off that may be, either
   * way. Nothing before the first connection. */
  get serverTime(): { time: number; error: number } | undefined {
    return this.core.server_time()
  }

  /** Logs out, which makes the login's tokens invalid and does not trigger cancel on disconnect, and ends the client. */
  async logout({ signal }: WaitOptions = {}): Promise<void> {
    await abortable(signal, (cancel) => this.core.logout(cancel))
  }

  /**
   * The order book of an instrument, maintained, once the server has confirmed its channel: see `Book`.
   *
   * ```ts
   * const book = await deribit.book('BTC-PERPETUAL', { coalesce: 'frame' })
   * for await (const { status, bestBid, bestAsk } of book) render(bestBid, bestAsk, status.name === 'live')
   * ```
   */
  book(instrument: string, options: BookOptions = {}): Promise<Book> {
    return openBook(this.core, instrument, options)
  }

  /** Subscribes to a channel that has no type here. */
  subscribeAs<T = unknown>(channel: string, options?: SubscribeOptions): Promise<Stream<T>> {
    return super.subscribe(channel, options) as Promise<Stream<T>>
  }
}

/** What a call that trades needs to know. `born` is in ms of the exchange's clock, no later than now. */
interface Prepared {
  instrument: Instrument
  born: number
  /** What is left of its time. */
  left: number
}

const NOT_SENT = { outcome: 'not-sent', category: 'connection', advice: 'retry' } as const

/** The longest time for a call, in ms: some centuries, so that its end is still a whole number. */
const LONGEST = 1e13

/** How long an instrument is believed, and how many are kept. */
const INSTRUMENT_LIFE = 10 * 60_000
const MOST_INSTRUMENTS = 2000

/** What follows a method's name: parameters may be left out when none is needed. */
type Rest<P> = {} extends P ? [params?: P, options?: CallOptions] : [params: P, options?: CallOptions]

/** How to open a connection to Deribit, besides what holds for every connection. */
export interface DeribitOptions extends Options {
  /** Which of the venue's worlds, which have separate accounts, keys, instruments and credits: real money, the test
   * network, or a server at an address of your own, of which nothing is assumed. */
  environment: 'production' | 'testnet' | 'other'
  /** The server's address. Needed for `other`; else the environment's own. */
  url?: Url
  /** The name and version of your program, for the venue's logs. By default this library's. */
  program?: { name: string; version: string }
  /** How often the server asks for a sign of life, in ms, to the whole second. 10 s by default, which is also the least that
   * the venue takes: less is raised to it. */
  serverHeartbeat?: number
  /** Logs in on each connection. Without it only what is public can be had. */
  credentials?: Credentials
  /** What to ask for at login, in the venue's words: `trade:read_write account:read session:bot-1`.
   *
   * Without it the server gives all that the key may do, on this connection (`connection`). `session:NAME` makes a token that
   * outlives the connection and counts among the key's 16 sessions. Where less is granted than was asked for, opening fails. */
  scope?: string
  /** Whether private requests carry the login's token as `access_token`. Default `false`: the server knows the connection. */
  attachToken?: boolean
  /** What becomes of open orders when the connection ends, other than by `logout`: what the account is set to (the default),
   * they stay (`off`), those that were placed on this connection are cancelled (`connection`), or the account is set so that
   * the orders of every later connection are cancelled too, and stays so (`account`). Set anew on each connection, before
   * anything else is sent; it needs credentials. */
  cancelOnDisconnect?: 'as-account' | 'off' | 'connection' | 'account'
  /** The account's allowance at the matching engine: requests a second, sustained, and at once.
   *
   * Without it the real one is asked for after each login, with `private/get_account_summary`, which needs `account:read`;
   * until it is known, and where it cannot be, it is 5 and 20, those of the lowest tier. */
  matching?: { rate: number; burst: number }
}

/** A key's id, and what proves that it is yours: its secret; or a function that makes signatures, so that the secret can
 * live elsewhere. */
export type Credentials =
  | {
      id: string
      secret: string
      /** Sends a signature in place of the secret, which then never leaves this machine. The browser's `SubtleCrypto` makes
       * it, which only secure pages have. Default `false`. */
      signed?: boolean
    }
  | {
      id: string
      /** The HMAC-SHA256 of the text, in lower-case hexadecimal digits, with the key's secret as the key. It is asked once for
       * each login, and has as long as a call may take. An error named `NotAllowedError` refuses and ends the client; after any
       * other the login is tried again. Their messages are shown in errors and events, so they must hold no credentials. */
      sign: (text: string) => string | Promise<string>
    }

/** Connects to Deribit. Opening fails when the server says that it is of another environment. */
export type ConnectDeribit = (options: DeribitOptions) => Promise<DeribitClient>

const ADDRESSES = {
  production: 'wss://www.deribit.com/ws/api/v2',
  testnet: 'wss://test.deribit.com/ws/api/v2',
  other: '',
}

const checkTrade = group<TradeOptions>({ timeout: time })
const checkPlace = group<PlaceOptions>({ timeout: time, exactLabel: flag })

const checkDeribit = group<DeribitOptions>({
  ...OPTIONS,
  environment: text,
  url: any,
  program: group({ name: text, version: text }),
  serverHeartbeat: time,
  credentials: group({ id: text, secret: text, signed: flag, sign: any }),
  scope: text,
  attachToken: flag,
  cancelOnDisconnect: text,
  matching: group({ rate: count, burst: count }),
})

/** A `connectDeribit` for one source of the wasm. */
export function deribitConnector(source: Source): ConnectDeribit {
  return async (options) => {
    checkDeribit(options, '')
    if (!(options.environment in ADDRESSES)) {
      throw wrong('environment', `must be one of ${Object.keys(ADDRESSES).join(', ')}`)
    }
    const { environment, url, program, serverHeartbeat, credentials, scope, attachToken, ...more } = options
    const { cancelOnDisconnect, matching, ...rest } = more
    const key = credentials && 'secret' in credentials && credentials.signed ? signing(credentials) : credentials
    const deribit = { environment, ...program, heartbeat: serverHeartbeat, credentials: key, scope, attachToken }
    const all = { ...rest, deribit: { ...deribit, cancelOnDisconnect, matching } }
    return open(source, url ?? ADDRESSES[environment], all, (core) => new DeribitClient(core))
  }
}

/** The same key, with signatures that are made here. */
function signing({ id, secret }: { id: string; secret: string }): Credentials {
  if (globalThis.crypto?.subtle === undefined) {
    throw wrong('credentials.signed', 'needs SubtleCrypto, which only secure pages have')
  }
  const bytes = (text: string) => new TextEncoder().encode(text)
  const sign = async (text: string) => {
    const algorithm = { name: 'HMAC', hash: 'SHA-256' }
    const key = await crypto.subtle.importKey('raw', bytes(secret), algorithm, false, ['sign'])
    const signature = new Uint8Array(await crypto.subtle.sign('HMAC', key, bytes(text)))
    return Array.from(signature, (byte) => byte.toString(16).padStart(2, '0')).join('')
  }
  return { id, sign }
}
