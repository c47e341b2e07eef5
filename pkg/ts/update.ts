import type { Disconnected } from './state.js'

/** What a consumer receives, in order. */
export type Update<T> =
  | { type: 'data'; data: T }
  /** This many updates were lost before what comes next, because the consumer was too slow. */
  | { type: 'lagged'; count: number }
  /** The connection ended: there is no data until `resumed`, and what was sent meanwhile is missed. */
  | { type: 'interrupted'; reason: Disconnected }
  /**
   * The channel is subscribed anew, because a consumer of it needed that: there is no data until `resumed`, what was sent
   * meanwhile is missed, and what the server sends first, such as a snapshot, comes again.
   */
  | { type: 'renewing' }
  /** The server confirmed the channel again, or data flows again. */
  | { type: 'resumed' }
  /** The server refused the channel after a reconnect. It is asked for again from time to time. */
  | { type: 'refused'; reason: string }
  /** The queue was full and its policy is `close`: this is the last update. */
  | { type: 'overflowed' }
  /** The data is not of the expected form. */
  | { type: 'invalid'; problem: string }
