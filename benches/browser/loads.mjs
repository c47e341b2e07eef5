// What the server sends: messages as Deribit writes them, the same in each run.

const COINS = ['BTC', 'ETH', 'SOL', 'XRP', 'DOGE', 'ADA', 'AVAX', 'LINK', 'LTC', 'TRX']
const INSTRUMENTS = COINS.map((coin) => `${coin}-PERPETUAL`)
const NOW = 1_760_000_000_000

/** Channels of the mixed load. */
export const MIXED = INSTRUMENTS.flatMap((name) => ['ticker', 'book', 'trades'].map((kind) => `${kind}.${name}.100ms`))
/** Channels of the load that is coalesced. */
export const TICKERS = INSTRUMENTS.map((name) => `ticker.${name}.100ms`)
/** The instrument whose book is maintained, and its channel. */
export const INSTRUMENT = 'BTC-PERPETUAL'
export const BOOK = `book.${INSTRUMENT}.100ms`

/** How many levels a book has, both sides together. */
const LEVELS = 1000

/** `count` messages, made by `messages()`, in bursts of `burst`, one every `every` ms. */
export const LOADS = {
  // 40 % tickers, 40 % changes of books, 20 % trades.
  objects: { count: 20_000, burst: 25, every: 2.5, messages: mixed },
  // 1,000 messages a second on each of ten channels, for two seconds.
  coalesced: { count: 20_000, burst: 20, every: 2, messages: tickers },
  // A snapshot, and then messages that change 20 levels each.
  book: { count: 4000, burst: 5, every: 2.5, messages: (count) => changes(count, 20) },
  // A snapshot, and then messages that change all levels.
  levels: { count: 400, burst: 1, every: 5, messages: (count) => changes(count, LEVELS) },
}

function mixed(count) {
  const random = randomness()
  const kinds = [ticker, book, ticker, book, trades]
  return Array.from({ length: count }, (_, n) => {
    const instrument = INSTRUMENTS[Math.floor(random() * INSTRUMENTS.length)]
    return kinds[n % kinds.length](instrument, n, random)
  })
}

function tickers(count) {
  const random = randomness()
  return Array.from({ length: count }, (_, n) => ticker(INSTRUMENTS[n % INSTRUMENTS.length], n, random))
}

function notification(channel, data) {
  return { jsonrpc: '2.0', method: 'subscription', params: { channel, data } }
}

function ticker(instrument, n, random) {
  const price = 50_000 + Math.floor(random() * 2000) / 2
  return notification(`ticker.${instrument}.100ms`, {
    timestamp: NOW + n,
    stats: { volume_usd: 224_579_520, volume: 4213.17, price_change: 0.9128, low: 49_001.5, high: 52_003 },
    state: 'open',
    settlement_price: 50_711.88,
    open_interest: 1_094_482_750,
    min_price: price - 751,
    max_price: price + 751,
    mark_price: price + 0.27,
    last_price: price,
    interest_value: 0.0138,
    instrument_name: instrument,
    index_price: price - 4.12,
    funding_8h: 0.00002131,
    estimated_delivery_price: price - 4.12,
    current_funding: 0.00001204,
    best_bid_price: price - 0.5,
    best_bid_amount: Math.floor(random() * 90_000) * 10,
    best_ask_price: price,
    best_ask_amount: Math.floor(random() * 90_000) * 10,
  })
}

function book(instrument, n, random) {
  const level = () => ['change', 50_000 + Math.floor(random() * 2000) / 2, Math.floor(random() * 9000) * 10]
  const side = () => Array.from({ length: 1 + Math.floor(random() * 4) }, level)
  return notification(`book.${instrument}.100ms`, {
    type: 'change',
    timestamp: NOW + n,
    prev_change_id: 80_000_000_000 + n - 1,
    instrument_name: instrument,
    change_id: 80_000_000_000 + n,
    bids: side(),
    asks: side(),
  })
}

function trades(instrument, n, random) {
  const trade = (_, index) => ({
    trade_seq: 180_000_000 + n + index,
    trade_id: String(300_000_000 + n + index),
    timestamp: NOW + n,
    tick_direction: Math.floor(random() * 4),
    price: 50_000 + Math.floor(random() * 2000) / 2,
    mark_price: 50_500.27,
    instrument_name: instrument,
    index_price: 50_496.15,
    direction: random() < 0.5 ? 'buy' : 'sell',
    amount: Math.floor(random() * 9000) * 10,
  })
  return notification(`trades.${instrument}.100ms`, Array.from({ length: 1 + Math.floor(random() * 3) }, trade))
}

/** A book of `LEVELS` levels: a snapshot, and messages that change the amounts of `each` of its levels. */
function changes(count, each) {
  const random = randomness()
  const amount = () => (1 + Math.floor(random() * 90_000)) * 10
  const bid = (index) => 50_000 - index / 2
  const ask = (index) => 50_000.5 + index / 2
  const HALF = LEVELS / 2
  const side = (type, price, levels) => levels.map((index) => [type, price(index), amount()])
  const all = Array.from({ length: HALF }, (_, index) => index)
  // Most of what changes is near the best price.
  const some = () => Array.from({ length: each / 2 }, () => Math.floor(HALF * random() ** 3))
  return Array.from({ length: count }, (_, n) => {
    const first = n === 0
    const [type, of] = first ? ['new', () => all] : ['change', each === LEVELS ? () => all : some]
    return notification(BOOK, {
      type: first ? 'snapshot' : 'change',
      timestamp: NOW + n,
      ...(first ? {} : { prev_change_id: n }),
      instrument_name: INSTRUMENT,
      change_id: n + 1,
      bids: side(type, bid, of()),
      asks: side(type, ask, of()),
    })
  })
}

/** Numbers from 0 to 1, always the same (mulberry32). */
function randomness() {
  let state = 1
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
