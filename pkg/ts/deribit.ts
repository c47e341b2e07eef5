import type { BatchOptions, Client, SubscribeOptions } from './client.js'
import { open, type Source, type Url } from './connect.js'
import type { DeribitChannel, DeribitData } from './deribit_channels.js'
import type { Options } from './options.js'
import type { Stream } from './stream.js'

/** A client whose channels have types. */
export interface DeribitClient extends Omit<Client, 'subscribe'> {
  /** Subscribes to a channel, once the server has confirmed it. See `Client.subscribe`. */
  subscribe<C extends DeribitChannel>(channel: C, options?: SubscribeOptions): Promise<Stream<DeribitData<C>>>
  subscribe<C extends DeribitChannel>(channel: C, options: BatchOptions): Promise<Stream<DeribitData<C>[]>>
}

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
  return async (options) => {
    const { environment, url, program, serverHeartbeat, ...rest } = options
    const venue = { environment, ...program, heartbeat: serverHeartbeat }
    // The same object: only the types of its channels are narrower.
    const client: unknown = await open(source, url ?? ADDRESSES[environment], rest, venue)
    return client as DeribitClient
  }
}
