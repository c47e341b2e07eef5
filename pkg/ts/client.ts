import { abortable } from './abort.js'
import { text, time } from './check.js'
import type { Core, Updates } from './core.js'
import { decode, parse, toError, wrong } from './errors.js'
import { type Health, toHealth } from './health.js'
import { checkCall, checkSubscribe, type Queue } from './options.js'
import type { Pace } from './reader.js'
import type { Disconnected, Ended, ServerMessage, State, Stats } from './state.js'
import { Stream } from './stream.js'
import { type Takable, taking } from './taking.js'

/** An answer to a request of the server's. */
export type Answer =
  | { result: unknown; error?: undefined }
  | { error: { code: number; message: string; data?: unknown }; result?: undefined }

/** A method and its parameters, an object or an array. */
export interface Request {
  method: string
  params?: unknown
}

export interface WaitOptions {
  /** Gives up waiting. What has not left yet never leaves. */
  signal?: AbortSignal
}

export interface CallOptions extends WaitOptions {
  /** How long it may take, waiting included, in ms. Default: `callTimeout`. */
  timeout?: number
}

export interface SubscribeOptions extends Queue {
  /** Ends the stream. */
  signal?: AbortSignal
  /** Gives at most one value per animation frame, the newest, inside the frame. What it replaces is never parsed, and
   * counted in `dropped`. For values of which only the present one matters; the queue's policy is then `latest`.
   *
   * A hidden page has no frames: values then come when the browser lets a timer fire, about once a second, later once a
   * minute. Where there are no frames at all, as in Node, a frame lasts 16 ms. */
  coalesce?: 'frame'
  batch?: never
}

export interface BatchOptions extends Queue {
  /** Ends the stream. */
  signal?: AbortSignal
  /** Gives all values since the last animation frame as one array, inside the frame. For values of which each matters,
   * such as trades. The queue between two frames is bounded as always; a hidden page has no frames: see `coalesce`. */
  batch: 'frame'
  coalesce?: never
}

/** What a client fires, each as a `CustomEvent` with this `detail`. */
export interface ClientEventMap {
  /** The state changed. */
  state: CustomEvent<State>
  /** A connection ended, or an attempt failed. */
  disconnected: CustomEvent<Disconnected>
  /** The server broke the protocol; the connection stays. */
  invalid: CustomEvent<string>
  /** A reply came for a request that was answered already, was cancelled, or whose deadline had passed. */
  latereply: CustomEvent<number>
  /** A reply came with an id that was never given out. */
  unknownreply: CustomEvent<number>
  /** A message or an error came that answers no call of ours; see `messages()`. */
  unmatched: CustomEvent<undefined>
  /** The server refused a channel that stays desired. */
  refused: CustomEvent<{ channel: string; reason: string }>
  /** The peer was silent and is asked for a sign of life. */
  asked: CustomEvent<undefined>
}

/**
 * One connection that stays up, until `close` or until the server refuses it for good. All methods may be called at any
 * time, also while it reconnects. `M` maps channels to the types of their data.
 */
export class Client<M extends object = Record<string, unknown>> extends EventTarget implements AsyncDisposable {
  /** @internal */
  protected readonly core: Core
  readonly #ended: Promise<Ended>

  /** @internal Use `connect`. */
  constructor(core: Core) {
    super()
    this.core = core
    this.#ended = this.#announce(core.events())
  }

  /** Where the connection is. */
  get state(): State {
    return this.core.state() as State
  }

  /** The connection's counters. */
  get stats(): Stats {
    const { silence, question, ...stats } = this.core.stats() as Stats & { silence?: number; question?: number }
    const now = performance.now()
    const at = (age: number | undefined) => (age === undefined ? undefined : now - age)
    return { ...stats, heard: at(silence), asked: at(question) }
  }

  /** How the client is: its connection, its queues, its credits, its books; and a verdict on them. */
  get health(): Health {
    return toHealth(this.core.health(), this.state, this.stats)
  }

  /** Waits until the connection is live: open, logged in, subscriptions restored. Throws when the client ended instead. */
  async ready({ signal }: WaitOptions = {}): Promise<void> {
    await abortable(signal, (cancel) => this.core.ready(cancel))
  }

  /** Settles when the client has ended, and says why. */
  get ended(): Promise<Ended> {
    return this.#ended
  }

  /**
   * Calls a method. Without a connection it waits for one, within its deadline.
   *
   * Throws an `RpcError` when the server answered with one, else a `SteadyError` whose `outcome` says whether the
   * request may have been executed.
   */
  async call<T = unknown>(method: string, params?: unknown, options: CallOptions = {}): Promise<T> {
    text(method, 'method')
    checkCall(options, '')
    const result = await abortable(options.signal, (cancel) =>
      this.core.call(method, json(params), options.timeout, cancel),
    )
    return decode<T>(method, result as string)
  }

  /** Sends a notification: a request that is not answered. Done once it has been given to the socket. */
  async notify(method: string, params?: unknown, { signal }: WaitOptions = {}): Promise<void> {
    text(method, 'method')
    await abortable(signal, (cancel) => this.core.notify(method, json(params), cancel))
  }

  /** Sends several requests as one message, when the protocol has batches. The outcomes are in the requests' order. */
  async batch(requests: Request[], { signal }: WaitOptions = {}): Promise<PromiseSettledResult<unknown>[]> {
    const written = requests.map(({ method, params }) => {
      text(method, 'method')
      return { method, params: json(params) }
    })
    const outcomes = await abortable(signal, (cancel) => this.core.batch(written, cancel))
    return (outcomes as { value?: string; reason?: unknown }[]).map(({ value, reason }) =>
      value === undefined
        ? { status: 'rejected', reason: toError(reason) }
        : { status: 'fulfilled', value: parse(value) },
    )
  }

  /** Sends a message as it is, beside whatever the protocol sends. Done once it has been given to the socket. */
  async send(data: string | ArrayBuffer | Uint8Array, { signal }: WaitOptions = {}): Promise<void> {
    const message = bytes(data)
    await abortable(signal, (cancel) => this.core.send(message, cancel))
  }

  /** Answers a request that the server made (see `messages()`), with a result or an error. `id` is given back as it came. */
  async respond(id: string, answer: Answer, { signal }: WaitOptions = {}): Promise<void> {
    text(id, 'id')
    const { result, error } = answer
    const written = error === undefined ? JSON.stringify(result ?? null) : undefined
    const reason = error && { ...error, data: json(error.data) }
    await abortable(signal, (cancel) => this.core.respond(id, written, reason, cancel))
  }

  /**
   * Subscribes to a channel, once the server has confirmed it. Several consumers of one channel share one subscription
   * on the server. It is restored after each reconnect until the stream is left.
   */
  subscribe<C extends keyof M & string>(channel: C, options?: SubscribeOptions): Promise<Stream<M[C]>>
  subscribe<C extends keyof M & string>(channel: C, options: BatchOptions): Promise<Stream<M[C][]>>
  subscribe<C extends keyof M & string>(
    channel: C,
    options: SubscribeOptions | BatchOptions,
  ): Promise<Stream<M[C]> | Stream<M[C][]>>
  async subscribe(channel: string, options: SubscribeOptions | BatchOptions = {}): Promise<Stream<unknown>> {
    text(channel, 'channel')
    const { pace, queue } = paced(options)
    const updates = await abortable<Updates>(
      options.signal,
      (cancel) => this.core.subscribe(channel, queue, cancel),
      (updates) => updates.close(),
    )
    return new Stream(channel, updates, JSON.parse, options.signal, pace)
  }

  /** Everything else that the server says, through a bounded queue. Each stream gets each message once. */
  messages({ signal }: WaitOptions = {}): Stream<ServerMessage> {
    return new Stream('', this.core.messages(), message, signal)
  }

  /** Makes a new connection and restores everything on it. Calls under way get their outcome at once. An attempt that
   * waits for its time is made now; one under way goes on. */
  reconnect(): void {
    this.core.reconnect()
  }

  /** Closes the connection and waits until it is closed, at most `closeTimeout`. The code is 1000 or 3000–4999. A signal gives
   * up the wait, not the closing. */
  async close({ signal, ...how }: { code?: number; reason?: string } & WaitOptions = {}): Promise<void> {
    const closed = this.core.close(how).catch((error: unknown) => {
      throw toError(error)
    })
    if (signal === undefined) return void (await closed)
    // It goes on closing when the wait for it is given up.
    await new Promise<unknown>((resolve, reject) => {
      const giveUp = () => reject(signal.reason)
      if (signal.aborted) giveUp()
      signal.addEventListener('abort', giveUp, { once: true })
      closed.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
    })
  }

  /** Takes on nothing new, lets everything under way end, leaves all channels, and closes with code 1000: within `timeout` ms, and
   * `closeTimeout` after that. Waits until it is closed. Calls that are not done by then end as at `close`. */
  async drain(timeout: number): Promise<void> {
    time(timeout, 'timeout')
    await this.core.drain(timeout)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  override addEventListener<K extends keyof ClientEventMap>(
    type: K,
    listener: (event: ClientEventMap[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void
  override addEventListener(type: string, listener: never, options?: boolean | AddEventListenerOptions): void {
    super.addEventListener(type, listener, options)
  }

  async #announce(events: Updates): Promise<Ended> {
    const { next } = taking(events as Takable<[string, unknown]>)
    for (let event = await next(); event !== undefined; event = await next()) {
      const [name, detail] = event
      if (name !== 'lagged') this.dispatchEvent(new CustomEvent(name, { detail }))
    }
    const state = this.state
    if (state.name === 'ended') return state.reason
    return { message: 'the client has ended', category: 'application', advice: 'stop' }
  }
}

/** How a stream hands its data out, and the queue that goes with it. */
function paced(options: SubscribeOptions | BatchOptions): { pace: Pace; queue: Queue } {
  checkSubscribe(options, '')
  const { coalesce, batch, overflow } = options
  if (coalesce === undefined && batch === undefined) return { pace: 'each', queue: options }
  if ((coalesce ?? 'frame') !== 'frame') throw wrong('coalesce', 'must be frame')
  if ((batch ?? 'frame') !== 'frame') throw wrong('batch', 'must be frame')
  if (coalesce === undefined) return { pace: 'batch', queue: options }
  if (batch !== undefined) throw wrong('batch', 'does not go with coalesce')
  if ((overflow ?? 'latest') !== 'latest') throw wrong('overflow', 'is latest with coalesce; use batch to keep all')
  return { pace: 'newest', queue: { ...options, overflow: 'latest' } }
}

/** What can be sent. Anything else would become bytes that nobody meant. */
function bytes(data: unknown): string | Uint8Array {
  // Also one of another realm.
  const kind = Object.prototype.toString.call(data)
  if (typeof data === 'string' || kind === '[object Uint8Array]') return data as string | Uint8Array
  if (kind === '[object ArrayBuffer]') return new Uint8Array(data as ArrayBuffer)
  throw wrong('data', 'must be a string, an ArrayBuffer or a Uint8Array')
}

function json(params: unknown): string | undefined {
  try {
    return params === undefined ? undefined : JSON.stringify(params)
  } catch (error) {
    throw wrong('params', `cannot be written as JSON (${String(error)})`)
  }
}

function message(raw: ServerMessage): ServerMessage {
  switch (raw.kind) {
    case 'notification':
    case 'request':
      return { ...raw, params: raw.params === '' ? undefined : parse(raw.params as string) }
    case 'error':
      return { ...raw, error: toError(raw.error) as typeof raw.error }
    default:
      return raw
  }
}
