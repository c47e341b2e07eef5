import { count, group } from './check.js'
import { SharedLimiter } from './core.js'
import { wrong } from './errors.js'

/** A limit: credits that requests take, and that come back. */
export interface Bucket {
  name: string
  /** The most credits it holds; it starts full. */
  capacity: number
  /** Credits added per second, continuously; `null` where those that a request took come back once it is answered, which
   * bounds the requests that are on their way. */
  refill: number | null
  /** Credits that only urgent requests may use: heartbeat replies and cancels. */
  reserve: number
}

/** What is to be other in the protocol's own buckets, by their names. */
export type BucketChanges = Record<string, Partial<Omit<Bucket, 'name'>>>

const checkBucket = group<Omit<Bucket, 'name'>>({ capacity: count, refill: count, reserve: count })

/** The rate limiter of an account: give one to all its clients, by the option `limiter`, and they share its credits. Its
 * buckets are those of the protocol of the first client that is given it; plain JSON-RPC has none. */
export class Limiter {
  readonly #changes: BucketChanges
  #core: SharedLimiter | undefined

  constructor(changes: BucketChanges = {}) {
    if (typeof changes !== 'object' || changes === null) throw wrong('limiter', 'must be an object')
    for (const [name, bucket] of Object.entries(changes)) checkBucket(bucket, name)
    this.#changes = changes
  }

  /** The buckets as they are now, with the whole credits that are `available`. Empty before the first client. */
  get buckets(): (Bucket & { available: number })[] {
    return this.#core?.levels() ?? []
  }

  /** @internal A handle for the core, which must have been loaded. */
  share(): SharedLimiter {
    this.#core ??= new SharedLimiter(this.#changes)
    return this.#core.share()
  }
}
