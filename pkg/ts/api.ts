/** What every entry exports beside its `connect`. */
export { Client } from './client.js'
export type { Answer, BatchOptions, CallOptions, ClientEventMap, Request, SubscribeOptions, WaitOptions } from './client.js'
export type { Connect, Url } from './connect.js'
export type * from './deribit/account.js'
export { Book } from './deribit/book.js'
export type { BookEventMap, BookFill, BookOptions, BookStatus, Level } from './deribit/book.js'
export type * from './deribit/channels.js'
export { DeribitCode } from './deribit/codes.js'
export { DeribitClient } from './deribit/client.js'
export type { ConnectDeribit, Credentials, DeribitOptions, PlaceOptions, TradeOptions } from './deribit/client.js'
export type * from './deribit/market.js'
export type * from './deribit/methods.js'
export type {
  Leg,
  LimitOrder,
  MarketOrder,
  OrderChanges,
  OrderTarget,
  PlacedOrder,
  TrailingOrder,
  TriggerLimitOrder,
  TriggerMarketOrder,
} from './deribit/orders.js'
export type { OrderResolution, PendingCancel, PendingEdit, PendingOrder, ResolveOptions, TradeOutcome } from './deribit/outcome.js'
export type * from './deribit/words.js'
export { RpcError, SteadyError } from './errors.js'
export type { Advice, Category, Outcome } from './errors.js'
export type { Backlog, BookHealth, Credits, Health } from './health.js'
export { Limiter } from './limiter.js'
export type { Bucket, BucketChanges } from './limiter.js'
export type * from './options.js'
export type { Disconnected, Ended, ServerMessage, State, Stats } from './state.js'
export { Stream } from './stream.js'
export type { Freshness } from './stream.js'
export type { Update } from './update.js'
