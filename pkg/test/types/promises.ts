// What the types promise, held by the compiler alone.
import {
  type Bar,
  type BlockRfq,
  type BlockRfqQuote,
  type BookMessage,
  type Client,
  type DeribitChannel,
  type DeribitClient,
  type DeribitData,
  type GroupedBook,
  type IncrementalTicker,
  type Instrument,
  type Order,
  type OrderOutcome,
  type PlatformState,
  type Portfolio,
  type PriceIndex,
  type PublicMethodsState,
  type Quote,
  type Stream,
  type Ticker,
  type Trade,
  type Update,
  type UserChanges,
  type UserTrade,
  connect,
  connectDeribit,
} from 'steadysocket'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <_ extends true>(): void => {}

// A channel's name says what comes.
holds<Equal<DeribitData<'ticker.BTC-PERPETUAL.100ms'>, Ticker>>()
holds<Equal<DeribitData<'quote.ETH-PERPETUAL'>, Quote>>()
holds<Equal<DeribitData<'trades.BTC-PERPETUAL.raw'>, Trade[]>>()
holds<Equal<DeribitData<'trades.option.any.100ms'>, Trade[]>>()
holds<Equal<DeribitData<'book.BTC-PERPETUAL.agg2'>, BookMessage>>()
holds<Equal<DeribitData<'book.BTC-PERPETUAL.none.10.100ms'>, GroupedBook>>()
holds<Equal<DeribitData<'book.XRP_USDC-30JUN23-0d625-C.5.1.raw'>, GroupedBook>>()
holds<Equal<DeribitData<'chart.trades.BTC-PERPETUAL.60'>, Bar>>()
holds<Equal<DeribitData<'chart.trades.BTC-PERPETUAL.1D'>, Bar>>()
holds<Equal<DeribitData<'deribit_price_index.btc_usd'>, PriceIndex>>()
holds<Equal<DeribitData<'platform_state'>, PlatformState>>()
holds<Equal<DeribitData<'platform_state.public_methods_state'>, PublicMethodsState>>()
holds<Equal<DeribitData<'instrument.creation.any.any'>, Instrument>>()
holds<Equal<DeribitData<'user.orders.BTC-PERPETUAL.raw'>, Order>>()
holds<Equal<DeribitData<'user.orders.any.any.raw'>, Order>>()
holds<Equal<DeribitData<'user.orders.future.BTC.100ms'>, Order[]>>()
holds<Equal<DeribitData<'user.trades.any.any.raw'>, UserTrade[]>>()
holds<Equal<DeribitData<'user.changes.BTC-PERPETUAL.agg2'>, UserChanges>>()
holds<Equal<DeribitData<'user.portfolio.any'>, Portfolio>>()
holds<Equal<DeribitData<'block_rfq.maker.BTC'>, BlockRfq>>()
holds<Equal<DeribitData<'block_rfq.maker.quotes.BTC'>, BlockRfqQuote[]>>()
holds<Equal<DeribitData<'ticker.A.100ms' | 'quote.A'>, Ticker | Quote>>()
// @ts-expect-error A channel without an interval.
holds<Equal<DeribitData<'ticker.BTC-PERPETUAL'>, Ticker>>()
// @ts-expect-error A depth that does not exist.
holds<Equal<DeribitData<'book.BTC-PERPETUAL.none.50.100ms'>, GroupedBook>>()

const deribit = await connectDeribit({ environment: 'testnet' })
holds<Equal<typeof deribit, DeribitClient>>()
const ticker = await deribit.subscribe('ticker.BTC-PERPETUAL.100ms')
holds<Equal<typeof ticker, Stream<Ticker>>>()
const trades = await deribit.subscribe('trades.future.BTC.100ms', { overflow: 'latest' })
holds<Equal<typeof trades, Stream<Trade[]>>>()
const newest = await deribit.subscribe('quote.BTC-PERPETUAL', { coalesce: 'frame' })
holds<Equal<typeof newest, Stream<Quote>>>()
const batches = await deribit.subscribe('quote.BTC-PERPETUAL', { batch: 'frame', capacity: 100 })
holds<Equal<typeof batches, Stream<Quote[]>>>()
// @ts-expect-error One or the other.
await deribit.subscribe('quote.BTC-PERPETUAL', { batch: 'frame', coalesce: 'frame' })
// @ts-expect-error A typing error in a channel's name.
await deribit.subscribe('tiker.BTC-PERPETUAL.100ms')
const instrument: string = 'BTC-PERPETUAL'
const built = await deribit.subscribe(`book.${instrument}.100ms`)
holds<Equal<typeof built, Stream<BookMessage>>>()
const channel = 'ticker.BTC-PERPETUAL.raw' as DeribitChannel
for await (const data of await deribit.subscribe(channel)) if ('greeks' in data) data satisfies Ticker | IncrementalTicker
const other = await deribit.subscribeAs<{ rank: number }>('something.new')
holds<Equal<typeof other, Stream<{ rank: number }>>>()
for await (const update of ticker.updates()) holds<Equal<typeof update, Update<Ticker>>>()

// A method's name says what it takes and answers.
const time = await deribit.call('public/get_time')
holds<Equal<typeof time, number>>()
const instruments = await deribit.call('public/get_instruments', { currency: 'BTC', kind: 'future' }, { timeout: 1000 })
holds<Equal<typeof instruments, Instrument[]>>()
const bought = await deribit.call('private/buy', { instrument_name: 'BTC-PERPETUAL', amount: 10, price: 60_000 })
holds<Equal<typeof bought, OrderOutcome>>()
if (bought.order.price !== 'market_price') bought.order.price satisfies number
const unknown = await deribit.call('public/get_combo_ids', { currency: 'BTC' })
holds<Equal<typeof unknown, unknown>>()
const asserted = await deribit.call<string[]>('public/get_combo_ids', { currency: 'BTC' })
holds<Equal<typeof asserted, string[]>>()
// @ts-expect-error A parameter is missing.
await deribit.call('public/ticker')
// @ts-expect-error A parameter is misspelt.
await deribit.call('public/ticker', { instrument: 'BTC-PERPETUAL' })
// Words may be new ones.
bought.order.cancel_reason = 'a_reason_of_tomorrow'

const plain = await connect('wss://example.com', { heartbeat: false, backoff: { base: 100 } })
holds<Equal<typeof plain, Client<Record<string, unknown>>>>()
const typed = await connect<{ prices: number }>(() => 'wss://example.com')
const prices = await typed.subscribe('prices')
holds<Equal<typeof prices, Stream<number>>>()
const sum = await typed.call<number>('add', [1, 2])
holds<Equal<typeof sum, number>>()
// @ts-expect-error An option that does not exist.
await connect('wss://example.com', { headers: {} })
typed.addEventListener('state', ({ detail }) => detail.name === 'waiting' && detail.delay)
