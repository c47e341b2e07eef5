import type { Advice, Category, RpcError } from './errors.js'

/** Where a connection is in its life. */
export type State =
  /** Making a connection. The first attempt after a stable connection has number 1. */
  | { name: 'connecting'; attempt: number }
  /** Connected; logging in and restoring subscriptions. */
  | { name: 'restoring' }
  /** Everything that was desired when the connection opened is confirmed or reported as refused. */
  | { name: 'live' }
  /** Waiting for `delay` ms from when this state began, before the attempt of this number. */
  | { name: 'waiting'; attempt: number; delay: number; reason: Disconnected }
  /** Closing; the peer has been told. */
  | { name: 'closing' }
  /** Over, and why. */
  | { name: 'ended'; reason: Ended }

/** Why a connection ended, or an attempt failed. `code` and `reason` are those of the server's close frame. */
export interface Disconnected {
  message: string
  category: Category
  code?: number
  reason?: string
}

/** Why the client does not try again. */
export interface Ended {
  message: string
  category: Category
  advice: Advice
  retryAfter?: number
}

/** Counters of a connection's whole life. */
export interface Stats {
  /** Messages received. */
  received: number
  /** Bytes of these messages. */
  receivedBytes: number
  /** Messages sent. */
  sent: number
  /** Connections that were made. */
  connections: number
  /** Connections that ended and attempts that failed. */
  disconnects: number
  /** When the peer was last heard, on the present connection or the last one, in ms as `performance.now()` has it. */
  heard: number | undefined
  /** Since when the peer has been asked for a sign of life without having given one, in the same way. */
  asked: number | undefined
  /** Requests and messages that wait to be sent. */
  waiting: number
  /** Requests that wait for an answer. */
  inFlight: number
  /** Channels that somebody consumes. */
  desired: number
  /** Channels among these that the server has confirmed. */
  confirmed: number
}

/** What a server sent that answers no request and belongs to no subscription. */
export type ServerMessage =
  | { kind: 'text'; text: string }
  | { kind: 'binary'; bytes: Uint8Array }
  | { kind: 'notification'; method: string; params: unknown }
  /** A request of the server's own; `id` is JSON text. */
  | { kind: 'request'; id: string; method: string; params: unknown }
  | { kind: 'error'; error: RpcError }
