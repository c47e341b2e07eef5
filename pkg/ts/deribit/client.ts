import { type BatchOptions, type CallOptions, Client, type SubscribeOptions } from '../client.js'
import { open, type Source, type Url } from '../connect.js'
import type { Options } from '../options.js'
import type { Stream } from '../stream.js'
import type { DeribitChannel, DeribitData } from './channels.js'
import type { DeribitMethods } from './methods.js'

/** A client whose channels and methods have types. */
export class DeribitClient extends Client {
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
  override subscribe(channel: string, options?: SubscribeOptions | BatchOptions): Promise<Stream<never>> {
    return super.subscribe(channel, options as SubscribeOptions) as Promise<Stream<never>>
  }

  /** Subscribes to a channel that has no type here. */
  subscribeAs<T = unknown>(channel: string, options?: SubscribeOptions): Promise<Stream<T>> {
    return super.subscribe(channel, options) as Promise<Stream<T>>
  }
}

/** What follows a method's name: parameters may be left out when none is needed. */
type Rest<P> = {} extends P ? [params?: P, options?: CallOptions] : [params: P, options?: CallOptions]

export interface DeribitOptions extends Options {
  /** Which of the venue's worlds: real money, the test network, or a server at an address of your own. */
  environment: 'production' | 'testnet' | 'other'
  /** The server's address. Needed for `other`; else the environment's own. */
  url?: Url
  /** The name and version of your program, for the venue's logs. By default this library's. */
  program?: { name: string; version: string }
  /** How often the server asks for a sign of life, in ms. 10 s by default, which is also the least. */
  serverHeartbeat?: number
}

/** Connects to Deribit. Opening fails when the server says that it is of another environment. */
export type ConnectDeribit = (options: DeribitOptions) => Promise<DeribitClient>

const ADDRESSES = {
  production: 'wss://www.deribit.com/ws/api/v2',
  testnet: 'wss://test.deribit.com/ws/api/v2',
  other: '',
}

/** A `connectDeribit` for one source of the wasm. */
export function deribitConnector(source: Source): ConnectDeribit {
  return (options) => {
    const { environment, url, program, serverHeartbeat, ...rest } = options
    const venue = { environment, ...program, heartbeat: serverHeartbeat }
    return open(source, url ?? ADDRESSES[environment], rest, (core) => new DeribitClient(core), venue)
  }
}
