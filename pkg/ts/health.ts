import type { Disconnected, State, Stats } from './state.js'

/** Everything that there is to know about how a client is, at one moment. Times are in ms as `performance.now()` has them. */
export interface Health {
  /** What to make of it. `down`: no request can be sent now. `degraded`: not all is as it should be. */
  verdict: 'healthy' | 'degraded' | 'down'
  /** What is not as it should be, in words: no connection, being restored, a peer that was asked for a sign of life and has
   * given none, channels that are not confirmed, an outbound queue or a stream's queue that is three quarters full, a bucket
   * without credits for ordinary requests, a book that is not live. */
  troubles: string[]
  /** Where the connection is. */
  state: State
  /** Since when it is there. */
  since: number
  /** The counters: when the peer was last heard and whether it has been asked for a sign of life, subscriptions desired and
   * confirmed, requests that wait and that are under way, connections. */
  stats: Stats
  /** When a connection last ended or an attempt failed, and why. */
  lastDisconnect: { at: number; reason: Disconnected } | undefined
  /** How many requests and messages may wait to be sent. */
  outboundLimit: number
  /** The limiter's buckets, which other clients may share, with the whole credits that are `available`. */
  credits: Credits[]
  /** The queues of the subscriptions. */
  streams: Backlog[]
  /** How many updates slow consumers have lost, those of subscriptions that are gone included. */
  dropped: number
  /** The maintained order books. */
  books: BookHealth[]
}

/** What a limiter's bucket holds. */
export interface Credits {
  /** The bucket's name. */
  name: string
  /** Whole credits that are there. */
  available: number
  /** The most that there can be. */
  capacity: number
  /** Those that only urgent requests may use. */
  reserve: number
}

/** What waits in a subscription's queue. */
export interface Backlog {
  /** The channel. */
  channel: string
  /** Updates that wait to be read. */
  waiting: number
  /** The most that may wait; 1 for `latest`. */
  capacity: number
  /** How many this queue has lost or replaced. */
  dropped: number
}

/** A maintained order book. */
export interface BookHealth {
  /** The channel. */
  channel: string
  /** `live`: its levels are the venue's, and all that has arrived is applied. `unread`: it was live when it was last read, and
   * messages wait that may say anything. `stale`: its levels are not known to be the venue's. */
  freshness: 'live' | 'unread' | 'stale'
  /** Since when it is stale. */
  since: number | undefined
}

/** As the core tells it. Times are ages; lists hold what belongs together one after the other. */
type Told = [
  verdict: Health['verdict'],
  troubles: string[],
  age: number,
  last: [age: number, reason: Disconnected] | undefined,
  outboundLimit: number,
  credits: unknown[],
  streams: unknown[],
  dropped: number,
  books: unknown[],
]

/** @internal */
export function toHealth(told: unknown[], state: State, stats: Stats): Health {
  const [verdict, troubles, age, last, outboundLimit, credits, streams, dropped, books] = told as Told
  const now = performance.now()
  return {
    verdict,
    troubles,
    state,
    since: now - age,
    stats,
    lastDisconnect: last && { at: now - last[0], reason: last[1] },
    outboundLimit,
    credits: rows<[string, number, number, number]>(credits, 4).map(([name, available, capacity, reserve]) => {
      return { name, available, capacity, reserve }
    }),
    streams: rows<[string, number, number, number]>(streams, 4).map(([channel, waiting, capacity, dropped]) => {
      return { channel, waiting, capacity, dropped }
    }),
    dropped,
    books: rows<[string, 'live' | 'unread' | number]>(books, 2).map(([channel, fresh]) => {
      if (typeof fresh === 'string') return { channel, freshness: fresh, since: undefined }
      return { channel, freshness: 'stale', since: now - fresh }
    }),
  }
}

function rows<Row>(list: unknown[], width: number): Row[] {
  return Array.from({ length: list.length / width }, (_, row) => list.slice(row * width, (row + 1) * width) as Row)
}
