// What the types promise, held by the compiler alone.
import { type BookMessage, type Client, type GroupedBook, type Quote, type Stream, type Ticker, type Trade } from 'steadysocket'
import { connect, connectDeribit } from 'steadysocket'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <T extends true>(_?: T): void => {}

const deribit = await connectDeribit({ environment: 'testnet' })
const ticker = await deribit.subscribe('ticker.BTC-PERPETUAL.100ms')
holds<Equal<typeof ticker, Stream<Ticker>>>()
const trades = await deribit.subscribe('trades.future.BTC.100ms', { overflow: 'latest' })
holds<Equal<typeof trades, Stream<Trade[]>>>()
const book = await deribit.subscribe('book.BTC-PERPETUAL.100ms')
holds<Equal<typeof book, Stream<BookMessage>>>()
const grouped = await deribit.subscribe('book.BTC-PERPETUAL.none.10.100ms')
holds<Equal<typeof grouped, Stream<GroupedBook>>>()
const newest = await deribit.subscribe('quote.BTC-PERPETUAL', { coalesce: 'frame' })
holds<Equal<typeof newest, Stream<Quote>>>()
const batches = await deribit.subscribe('quote.BTC-PERPETUAL', { batch: 'frame', capacity: 100 })
holds<Equal<typeof batches, Stream<Quote[]>>>()
// @ts-expect-error One or the other.
await deribit.subscribe('quote.BTC-PERPETUAL', { batch: 'frame', coalesce: 'frame' })
// @ts-expect-error A typing error in a channel's name.
await deribit.subscribe('tiker.BTC-PERPETUAL.100ms')

const plain = await connect('wss://example.com', { heartbeat: false, backoff: { base: 100 } })
holds<Equal<typeof plain, Client<Record<string, unknown>>>>()
const typed = await connect<{ prices: number }>(() => 'wss://example.com')
const prices = await typed.subscribe('prices')
holds<Equal<typeof prices, Stream<number>>>()
// @ts-expect-error An option that does not exist.
await connect('wss://example.com', { headers: {} })
typed.addEventListener('state', ({ detail }) => detail.name === 'waiting' && detail.delay)
