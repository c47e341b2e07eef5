/** Deribit's channels, and what each of them sends (docs.deribit.com, AsyncAPI 2.1.1). */
import type {
  AccessLog,
  BlockRfq,
  BlockRfqQuote,
  BlockTradeConfirmation,
  MmpTrigger,
  Order,
  Portfolio,
  UserChanges,
  UserLock,
  UserTrade,
} from './account.js'
import type {
  Announcement,
  Bar,
  BlockRfqTrade,
  BookMessage,
  EstimatedExpirationPrice,
  GroupedBook,
  IncrementalTicker,
  Instrument,
  InstrumentState,
  OptionMark,
  Perpetual,
  PlatformState,
  PriceIndex,
  PriceRank,
  PriceStatistics,
  PublicMethodsState,
  Quote,
  Ticker,
  Trade,
  VolatilityIndex,
} from './market.js'
import type { Depth, Group, Interval, Resolution } from './words.js'

/** Names and their data. The first name that fits counts. Where `{instrument}` may stand, so may `{kind}.{currency}`, with
 * `any` for all of them. */
type Channels = [
  [`book.${string}.${Group}.${Depth}.${Interval}`, GroupedBook],
  [`book.${string}.${Interval}`, BookMessage],
  [`ticker.${string}.${Interval}`, Ticker],
  [`incremental_ticker.${string}`, IncrementalTicker],
  [`quote.${string}`, Quote],
  [`trades.${string}.${Interval}`, Trade[]],
  [`chart.trades.${string}.${Resolution}`, Bar],
  [`perpetual.${string}.${Interval}`, Perpetual],
  [`deribit_price_index.${string}`, PriceIndex],
  [`deribit_price_ranking.${string}`, PriceRank[]],
  [`deribit_price_statistics.${string}`, PriceStatistics],
  [`deribit_volatility_index.${string}`, VolatilityIndex],
  [`markprice.options.${string}`, OptionMark[]],
  [`estimated_expiration_price.${string}`, EstimatedExpirationPrice],
  [`instrument.state.${string}.${string}`, InstrumentState],
  [`instrument.creation.${string}.${string}`, Instrument],
  ['platform_state', PlatformState],
  ['platform_state.public_methods_state', PublicMethodsState],
  ['announcements', Announcement],
  [`block_rfq.trades.${string}`, BlockRfqTrade],

  // These need a login.
  [`user.orders.${string}.raw`, Order],
  [`user.orders.${string}.${Exclude<Interval, 'raw'>}`, Order[]],
  [`user.trades.${string}.${Interval}`, UserTrade[]],
  [`user.combo_trades.${string}.${Interval}`, UserTrade[]],
  [`user.changes.${string}.${Interval}`, UserChanges],
  [`user.portfolio.${string}`, Portfolio],
  [`user.mmp_trigger.${string}`, MmpTrigger],
  ['user.access_log', AccessLog],
  ['user.lock', UserLock],
  ['block_trade_confirmations' | `block_trade_confirmations.${string}`, BlockTradeConfirmation],
  [`block_rfq.maker.quotes.${string}`, BlockRfqQuote[]],
  [`block_rfq.maker.${string}` | `block_rfq.taker.${string}`, BlockRfq],
]

/** The names of the channels that have types. Others can be had by `subscribeAs`. */
export type DeribitChannel = Channels[number][0]

/** What a channel sends, by its name. */
export type DeribitData<C extends DeribitChannel> = C extends unknown ? Find<C, Channels> : never

type Find<C, In extends readonly unknown[]> = In extends readonly [infer First, ...infer Rest]
  ? First extends [infer Name, infer Data]
    ? C extends Name
      ? Data
      : Find<C, Rest>
    : never
  : never
