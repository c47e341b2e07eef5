import { any, callable, count, flag, group, limiter, list, orFalse, type Rules, signal, text, time } from './check.js'
import type { Limiter } from './limiter.js'

/** How to behave while connected. Times are in milliseconds. Headers of the upgrade and pings do not exist in a browser. */
export interface Options {
  /** Ends the attempt to connect; once connected it closes the client. */
  signal?: AbortSignal
  /** Subprotocols to offer (RFC 6455 section 1.9), in order of preference. */
  subprotocols?: string[]
  /** Whether `ws://` may leave this machine. Default `false`: plain text only to loopback. */
  allowPlaintext?: boolean
  /** Time for endpoint provider, DNS, TCP, TLS and upgrade together. Default 10 s. */
  connectTimeout?: number
  /** How long a close waits for the peer's close frame before the socket is dropped. Default 2 s. */
  closeTimeout?: number
  /** Whether the first connection is retried by the backoff too. Default `false`: `connect` reports why it failed. */
  retryInitialConnect?: boolean
  /** When to try again after a connection ended. */
  backoff?: Backoff
  /** How a silent peer is found out. Where it cannot be asked (see `probe`), silence proves nothing. `false` trusts TCP,
   * which may take a quarter of an hour. */
  heartbeat?: Heartbeat | false
  /** How long a call may take, waiting included, unless it says otherwise. Default 10 s. */
  callTimeout?: number
  /** What a call does while there is no connection. Default: wait within its deadline. */
  whenOffline?: WhenBlocked
  /** What a call does while the rate limiter has no credits for it. Default: wait within its deadline. */
  whenLimited?: WhenBlocked
  /** Whether calls that the protocol marks idempotent are made again, within their deadline, when the connection ends
   * before they are answered. Default `false`: every call reports its outcome at once. */
  retryIdempotent?: boolean
  /** A limiter to share with other clients of the same account. Default: the protocol's own, for this client alone. */
  limiter?: Limiter
  /** Bound of the queue of requests and messages that wait to be sent. */
  outbound?: OutboundLimit
  /** The largest message accepted from the server, in bytes, at most 1 GiB. Default 16 MiB. A larger one ends the connection
   * without a close code, because a browser may not send 1009. */
  maxMessage?: number
  /** Bound and overflow policy of each subscription's queue, unless the subscription says otherwise. */
  queue?: Queue
  /** Another class with the interface of `WebSocket`, for runtimes without one of their own, such as Node 20. */
  WebSocket?: new (url: string, protocols?: string[]) => unknown
}

/** How a JSON-RPC 2.0 server speaks, where the specification leaves it open. */
export interface JsonRpcOptions extends Options {
  /** A harmless request whose reply proves that the peer is alive: a browser cannot ping. Without one, a silent peer is
   * not found out. */
  probe?: { method: string; params?: unknown }
  /** How the server does subscriptions. Default: by channel. */
  subscriptions?: Subscriptions
  /** Writes ids as strings that start with this. Replies must echo them so. Default: ids are integers. */
  stringIds?: string
  /** Takes nothing from a server that the specification does not allow. Default `false`: where servers are known to bend
   * it, reading is lenient. */
  strict?: boolean
}

/** The methods and the style of a server's subscriptions. */
export interface Subscriptions {
  /** How channels are named. `channel`, the default: one request `{"channels": ["a", "b"]}` subscribes to many, its result
   * lists those that the server accepted, and data comes as `{"channel": "a", "data": …}`. `id`: one request subscribes to
   * one channel, with the parameters `["a"]`, or the channel itself where that is a JSON array; its result is a string, and
   * data comes as `{"subscription": "that string", "result": …}`. */
  style?: 'channel' | 'id'
  /** The method that subscribes. Default `subscribe`, or `eth_subscribe` by id. */
  subscribe?: string
  /** The method that unsubscribes. Default `unsubscribe`, or `eth_unsubscribe` by id. */
  unsubscribe?: string
  /** The method of the notifications that carry data. Default `subscription`, or `eth_subscription` by id. */
  notification?: string
}

/** Waits, at most until the deadline, or reports at once that it was not sent. */
export type WhenBlocked = 'wait' | 'refuse'

/** Exponential backoff with full jitter: before attempt n a random time from zero to `base × factor^(n-1)`, at most
 * `cap`, so that many clients do not come back together. */
export interface Backoff {
  /** Upper bound of the first delay. Default 250 ms. */
  base?: number
  /** What the bound is multiplied by after each failed attempt, at least 1. Default 2. */
  factor?: number
  /** The largest bound. Default 30 s. */
  cap?: number
  /** How many attempts in a row may fail before the client ends; by default there is no limit. */
  maxAttempts?: number
  /** How long a connection must have been up before the count of attempts starts anew. Default 5 s. A server that
   * accepts and closes at once is therefore met with growing delays. */
  minUptime?: number
}

/** How a silent peer is found out: after `idle` without a frame it is asked by the probe, and after `timeout` more
 * without a sign of life the connection is given up. */
export interface Heartbeat {
  /** How long nothing may be received before the peer is asked. Default 10 s. */
  idle?: number
  /** How long the peer has to answer. Default 4 s. */
  timeout?: number
}

/** Bound of what waits to be sent. A request over it reports that it was not sent. */
export interface OutboundLimit {
  /** Number of requests and messages. Default 4096. */
  messages?: number
  /** Their size together, in bytes. Default 4 MiB. */
  bytes?: number
}

/** The queue between a connection and one consumer. */
export interface Queue {
  /** How many updates wait at most. Default 1024. With `latest` it is 1, whatever this says. */
  capacity?: number
  /** How many bytes they may hold together. Default 16 MiB. One update is taken whatever its size, within `maxMessage`. */
  bytes?: number
  /** What happens at the bound. Default: the oldest update is dropped, and the consumer is told how many were. */
  overflow?: Overflow
}

/** What a full queue does with the next update: drops the oldest waiting one; drops the new one; keeps only the newest,
 * for values of which only the present one matters; or ends the subscription. */
export type Overflow = 'drop-oldest' | 'drop-newest' | 'latest' | 'close'

const QUEUE = { capacity: count, bytes: count, overflow: text } satisfies Rules<Queue>

export const OPTIONS = {
  signal,
  subprotocols: list,
  allowPlaintext: flag,
  connectTimeout: time,
  closeTimeout: time,
  retryInitialConnect: flag,
  backoff: group<Backoff>({ base: time, factor: count, cap: time, maxAttempts: count, minUptime: time }),
  heartbeat: orFalse(group<Heartbeat>({ idle: time, timeout: time })),
  callTimeout: time,
  whenOffline: text,
  whenLimited: text,
  retryIdempotent: flag,
  limiter,
  outbound: group<OutboundLimit>({ messages: count, bytes: count }),
  maxMessage: count,
  queue: group(QUEUE),
  WebSocket: callable,
} satisfies Rules<Options>

export const checkJsonRpc = group<JsonRpcOptions>({
  ...OPTIONS,
  probe: group({ method: text, params: any }),
  subscriptions: group<Subscriptions>({ style: text, subscribe: text, unsubscribe: text, notification: text }),
  stringIds: text,
  strict: flag,
})

export const checkSubscribe = group({ ...QUEUE, signal, coalesce: text, batch: text })

export const checkCall = group({ signal, timeout: time })
