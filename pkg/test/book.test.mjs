// The maintained book in Node, with the class of `ws`, against the local exchange.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { SteadyError, connectDeribit } from 'steadysocket'
import WebSocket from 'ws'

import { startExchange } from '../../tests/browser-kit/index.mjs'

const NAME = 'BTC-PERPETUAL'
const CHANNEL = `book.${NAME}.100ms`

let exchange, client
before(async () => {
  exchange = await startExchange('--no-credits')
  client = await connectDeribit({ environment: 'testnet', url: exchange.url, WebSocket, backoff: { base: 5 } })
})
after(async () => {
  await client?.close()
  await exchange?.stop()
})

const command = (command) => client.call('local/fault', { command })

/** Reads until the book is as wanted. */
async function until(book, wanted) {
  if (wanted(book)) return
  const reader = book[Symbol.asyncIterator]()
  for (;;) {
    const { done } = await reader.next()
    assert.equal(done, false, 'the book ended')
    if (wanted(book)) return
  }
}

const live = (book) => book.status.name === 'live'

/** Best first, bids below asks, amounts positive. */
function isSound(book) {
  const [bids, asks] = [book.bids(), book.asks()]
  assert.ok(bids.length > 6 && asks.length > 6)
  for (let i = 2; i < bids.length; i += 2) assert.ok(bids[i] < bids[i - 2] && bids[i + 1] > 0)
  for (let i = 2; i < asks.length; i += 2) assert.ok(asks[i] > asks[i - 2] && asks[i + 1] > 0)
  assert.ok(bids[0] < asks[0])
  assert.deepEqual(book.bestBid, { price: bids[0], amount: bids[1] })
  assert.deepEqual(book.bestAsk, { price: asks[0], amount: asks[1] })
}

test('levels are numbers in one array, into the one that is given', async () => {
  const book = await client.book(NAME)
  assert.deepEqual([book.instrument, book.channel], [NAME, CHANNEL])
  await until(book, live)
  isSound(book)
  const into = new Float64Array(10)
  const five = book.bids(5, into)
  assert.equal(five.buffer, into.buffer)
  assert.deepEqual([...five], [...book.bids().subarray(0, 10)])
  assert.equal(book.asks(3).length, 6)
  assert.equal(book.asks(99, new Float64Array(4)).length, 4)
  assert.equal(book.asks(0).length, 0)
  assert.ok(book.changeId > 0 && Math.abs(book.timestamp - Date.now()) < 60_000)
  const amount = book.bestAsk.amount + 10
  const { price, worst, filled } = book.vwap('buy', amount)
  assert.ok(filled === amount && price > book.bestAsk.price && worst > price)
  assert.equal(book.vwap('sell', 1).price, book.bestBid.price)
  assert.equal(book.vwap('sell', 0), undefined)
  book.close()
})

test('a lost message makes it stale until there is a new snapshot, and no other stream notices', async () => {
  const book = await client.book(NAME)
  await until(book, live)
  const ticks = await client.subscribe(`ticker.${NAME}.100ms`)
  const seen = []
  book.addEventListener('status', () => seen.push(book.status))
  await command(`gap ${CHANNEL}`)
  await until(book, () => seen.length > 0)
  await until(book, live)
  isSound(book)
  const [first, ...rest] = seen
  assert.equal(first.name, 'stale')
  assert.match(first.reason, /missing/)
  assert.ok(first.since <= performance.now() && first.since > performance.now() - 60_000)
  assert.equal(rest.at(-1).name, 'live')
  assert.equal(ticks.freshness, 'fresh')
  ticks.close()
  book.close()
})

test('a cut makes it stale', async () => {
  const book = await client.book(NAME, { coalesce: 'frame' })
  await until(book, live)
  const stale = new Promise((resolve) => {
    book.addEventListener('status', () => book.status.name === 'stale' && resolve(book.status))
  })
  await command('drop @newest')
  assert.ok((await stale).reason.length > 0)
  await until(book, live)
  book.close()
})

test('a grouped book', async () => {
  const book = await client.book(NAME, { depth: 10, group: '10' })
  assert.equal(book.channel, `book.${NAME}.10.10.100ms`)
  await until(book, live)
  assert.ok(book.bids().length <= 20 && book.bids()[0] % 10 === 0)
  book.close()
})

test('it ends by close, by a signal, by leaving the loop, and with the client', async () => {
  const stop = new AbortController()
  const book = await client.book(NAME, { signal: stop.signal })
  for await (const same of book) {
    assert.equal(same, book)
    if (live(book)) stop.abort()
  }
  assert.deepEqual([book.status.name, book.status.reason], ['stale', 'the book was closed'])
  assert.deepEqual([book.bestBid, book.bids().length, book.vwap('buy', 1)], [undefined, 0, undefined])
  for await (const _ of await client.book(NAME)) break
  const unread = await client.book(NAME)
  await unread[Symbol.asyncIterator]().return()
  assert.equal(unread.status.reason, 'the book was closed')
  const other = await connectDeribit({ environment: 'testnet', url: exchange.url, WebSocket })
  const last = await other.book(NAME)
  await until(last, live)
  await other.close()
  for await (const _ of last);
  assert.equal(last.status.name, 'stale')
  assert.match(last.status.reason, /closed/)
})

test('what cannot work is told', async () => {
  for (const [options, field] of [
    [{ interval: '50ms' }, 'interval'],
    [{ coalesce: 'second' }, 'coalesce'],
    [{ group: '10' }, 'group'],
  ]) {
    await assert.rejects(client.book(NAME, options), { field, category: 'application' })
  }
  await assert.rejects(client.book('NONE-PERPETUAL'), (error) => error instanceof SteadyError && error.outcome === 'rejected')
  await assert.rejects(client.book(NAME, { signal: AbortSignal.abort() }), { name: 'AbortError' })
})
