// The package as Node sees it, with the class of `ws`, against the local exchange.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { RpcError, SteadyError, connect, connectDeribit } from 'steadysocket'
import WebSocket from 'ws'

import { startExchange } from '../../tests/browser-kit/index.mjs'

let exchange, url
before(async () => {
  exchange = await startExchange('--no-credits')
  url = exchange.url
})
after(() => exchange?.stop())

const TICKER = 'ticker.BTC-PERPETUAL.100ms'
const quick = { WebSocket, backoff: { base: 5 } }
const deribit = (options = {}) => connectDeribit({ environment: 'testnet', url, ...quick, ...options })
const command = (client, command) => client.call('local/fault', { command })

test('calls are answered, refused, timed out and aborted', async () => {
  const client = await deribit()
  assert.equal(client.state.name, 'live')
  assert.ok((await client.call('public/get_time')) > 1.6e12)
  await assert.rejects(client.call('public/nothing'), (error) => {
    assert.ok(error instanceof RpcError)
    assert.equal(error.code, -32601)
    assert.equal(error.outcome, 'rejected')
    return true
  })
  await command(client, 'delay 500ms')
  await assert.rejects(client.call('public/test', {}, { timeout: 50 }), { outcome: 'unknown', advice: 'reconcile' })
  const aborted = client.call('public/test', {}, { signal: AbortSignal.timeout(50) })
  await assert.rejects(aborted, { name: 'TimeoutError' })
  await command(client, 'delay 0ms')
  await client.close()
  assert.equal((await client.ended).advice, 'stop')
  await assert.rejects(client.call('public/test'), { outcome: 'not-sent', advice: 'stop' })
})

test('a stream survives a cut and says so', async () => {
  const client = await deribit()
  const stream = await client.subscribe(TICKER)
  const seen = []
  stream.addEventListener('freshness', () => seen.push(stream.freshness))
  let ticks = 0
  for await (const tick of stream) {
    assert.equal(tick.instrument_name, 'BTC-PERPETUAL')
    if (++ticks === 1) await command(client, 'drop @newest')
    if (seen.length === 2 && ticks > 2) break
  }
  assert.deepEqual(seen, ['stale', 'fresh'])
  assert.equal(client.stats.connections, 2)
  await client[Symbol.asyncDispose]()
})

test('a signal ends a stream, and a client', async () => {
  const leave = new AbortController()
  const client = await deribit({ signal: leave.signal })
  const stop = new AbortController()
  const stream = await client.subscribe('quote.BTC-PERPETUAL', { signal: stop.signal, overflow: 'latest' })
  for await (const quote of stream) {
    assert.ok(quote.best_bid_price > 0)
    stop.abort()
  }
  leave.abort()
  assert.match((await client.ended).message, /closed/)
})

test('streams can be held to frames', async () => {
  const client = await deribit()
  let quotes = 0
  for await (const quote of await client.subscribe('quote.BTC-PERPETUAL', { coalesce: 'frame' })) {
    assert.ok(quote.timestamp > 0)
    if (++quotes === 3) break
  }
  for await (const batch of await client.subscribe('quote.BTC-PERPETUAL', { batch: 'frame' })) {
    assert.ok(batch.length > 0 && batch.every((quote) => quote.timestamp > 0))
    break
  }
  for (const [options, field] of [
    [{ coalesce: 'second' }, 'coalesce'],
    [{ coalesce: 'frame', overflow: 'close' }, 'overflow'],
    [{ coalesce: 'frame', batch: 'frame' }, 'batch'],
  ]) {
    await assert.rejects(client.subscribe(TICKER, options), { field, category: 'application' })
  }
  await client.close()
})

test('plain JSON-RPC, a provider, notifications, raw messages', async () => {
  let asked = 0
  const client = await connect(async () => (asked++, url), quick)
  assert.equal(asked, 1)
  const messages = client.messages()
  await client.notify('public/test', {})
  await client.send('no json')
  // A reply without an id, and an error without one; replies may overtake each other.
  const found = {}
  for await (const message of messages) {
    found[message.kind] = message
    if (Object.keys(found).length === 2) break
  }
  assert.match(found.text.text, /"result"/)
  assert.ok(found.error.error instanceof RpcError)
  const states = []
  client.addEventListener('state', ({ detail }) => states.push(detail.name))
  await command(client, 'close 4001 enough')
  await new Promise((resolve) => client.addEventListener('disconnected', ({ detail }) => resolve(assert.equal(detail.code, 4001))))
  while (client.state.name !== 'live') await new Promise((resolve) => setTimeout(resolve, 5))
  assert.ok(states.includes('connecting'))
  await client.close()
})

test('what cannot work is told at once', async () => {
  for (const [options, field] of [
    [{ callTimeout: 0 }, 'call_timeout'],
    [{ queue: { overflow: 'explode' } }, 'queue.overflow'],
    [{ whenOffline: 'never' }, 'whenOffline'],
  ]) {
    await assert.rejects(connect(url, { ...quick, ...options }), (error) => {
      assert.ok(error instanceof SteadyError)
      assert.equal(error.field, field)
      return true
    })
  }
  await assert.rejects(connect('http://example.com', quick), { field: 'url' })
  await assert.rejects(connect('ws://127.0.0.1:59999', quick), { category: 'connection', advice: 'retry' })
  await assert.rejects(connect('ws://127.0.0.1:59999', { ...quick, signal: AbortSignal.abort() }), { name: 'AbortError' })
})
