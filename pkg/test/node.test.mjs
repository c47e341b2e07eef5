// The package as Node sees it, with the class of `ws`, against the local exchange.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'

import { Limiter, RpcError, SteadyError, connect, connectDeribit } from 'steadysocket'
import WebSocket, { WebSocketServer } from 'ws'

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

test('its health is told, and it drains', async () => {
  const client = await deribit()
  const book = await client.book('BTC-PERPETUAL')
  while (book.status.name !== 'live') await once(book, 'status')
  const stream = await client.subscribe(TICKER, { capacity: 7 })
  const { verdict, troubles, books, streams, credits, ...health } = client.health
  assert.deepEqual([verdict, troubles, health.state.name], ['healthy', [], 'live'])
  assert.deepEqual(books.map(({ channel }) => channel), [book.channel])
  assert.ok(['live', 'unread'].includes(books[0].freshness))
  const { waiting, ...queue } = streams.find(({ channel }) => channel === TICKER)
  assert.deepEqual(queue, { channel: TICKER, capacity: 7, dropped: 0 })
  assert.ok(waiting <= 7)
  assert.ok(credits.every(({ name, available, capacity }) => name !== '' && available <= capacity))
  assert.ok(health.since <= performance.now() && health.stats.confirmed === 2)
  assert.deepEqual([health.lastDisconnect, health.dropped], [undefined, 0])

  await command(client, 'delay 300ms')
  const call = client.call('public/test')
  const drained = client.drain(5_000)
  await assert.rejects(client.call('public/get_time'), { outcome: 'not-sent', advice: 'stop' })
  assert.ok(await call)
  await drained
  assert.equal(client.health.verdict, 'down')
  assert.match(client.health.troubles[0], /ended/)
  assert.equal(client.health.books[0].freshness, 'stale')
  await assert.rejects(client.drain(-1), { field: 'timeout' })
  stream.close()
  book.close()
  const other = await deribit()
  await command(other, 'delay 0ms')
  await other.close()
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
  assert.deepEqual(seen, ['stale', 'fresh', 'stale'], 'nobody keeps it fresh once it is left')
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

test('logins by secret and by signature, and none without', async () => {
  const portfolio = (client) => client.subscribe('user.portfolio.any', { signal: AbortSignal.timeout(10_000) })
  const signatures = []
  for (const credentials of [
    { id: 'local', secret: 'local-secret' },
    { id: 'local', secret: 'local-secret', signed: true },
    {
      id: 'local',
      sign: async (text) => {
        signatures.push(text)
        return createHmac('sha256', 'local-secret').update(text).digest('hex')
      },
    },
  ]) {
    const client = await deribit({ credentials, scope: 'account:read trade:read_write' })
    ;(await portfolio(client)).close()
    const { time, error } = client.serverTime
    assert.ok(Math.abs(time - Date.now()) < 5000 && error >= 0)
    await client.logout()
    assert.equal((await client.ended).advice, 'stop')
  }
  assert.equal(signatures.length, 1)

  const client = await deribit()
  await assert.rejects(portfolio(client), { category: 'authentication', advice: 'reauthenticate', outcome: 'not-sent' })
  await client.close()

  const refusing = () => Promise.reject(new DOMException('not now', 'NotAllowedError'))
  for (const [options, expected] of [
    [{ credentials: { id: 'local', secret: 'wrong' } }, { category: 'authentication', advice: 'reauthenticate' }],
    [{ credentials: { id: 'local', sign: refusing } }, { category: 'authentication', advice: 'reauthenticate' }],
    [{ cancelOnDisconnect: 'off' }, { field: 'cancelOnDisconnect' }],
    [{ cancelOnDisconnect: 'maybe' }, { field: 'cancelOnDisconnect' }],
  ]) {
    await assert.rejects(deribit(options), expected)
  }
})

test('clients of one account share its credits', async () => {
  const limiter = new Limiter({ 'non-matching': { capacity: 4000, refill: 1 }, subscribe: { refill: 9_999_999 } })
  assert.deepEqual(limiter.buckets, [])
  const [one, two] = [await deribit({ limiter }), await deribit({ limiter })]
  const left = () => limiter.buckets.find(({ name }) => name === 'non-matching').available
  const before = left()
  assert.ok(before < 4000 - 4 * 500 + 100, 'both have said hello')
  await one.call('public/get_time')
  assert.ok(left() <= before - 500)
  assert.equal(limiter.buckets.find(({ name }) => name === 'subscribe').refill, 9_999_999)
  // What the heartbeat needs is kept back.
  while (left() >= 1500) await two.call('public/get_time')
  await assert.rejects(one.call('public/get_time', {}, { timeout: 50 }), { outcome: 'not-sent', advice: 'retry' })
  await one.close()
  await two.close()
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

test('a timeout that fires before its time is set again', async () => {
  const inTime = globalThis.setTimeout
  globalThis.setTimeout = (callback, delay, ...rest) => inTime(callback, delay / 2, ...rest)
  try {
    const client = await deribit()
    const live = new Promise((resolve) => client.addEventListener('state', ({ detail }) => detail.name === 'live' && resolve()))
    await command(client, 'drop @newest')
    await live
    await command(client, 'delay 500ms')
    await assert.rejects(client.call('public/test', {}, { timeout: 50 }), { outcome: 'unknown' })
    await command(client, 'delay 0ms')
    await client.close()
  } finally {
    globalThis.setTimeout = inTime
  }
})

test('a class of WebSocket whose events are not as they should be costs a connection, and no more', async () => {
  for (const strike of [
    (socket) => socket.onmessage({ data: { not: 'text' } }),
    (socket) => socket.onmessage({ get data() { throw new Error('no data') } }),
    (socket) => socket.onclose({}),
    (socket) => socket.onclose({ code: '1000', reason: 7 }),
  ]) {
    const sockets = []
    const client = await deribit({
      WebSocket: class extends WebSocket {
        constructor(...given) {
          super(...given)
          sockets.push(this)
        }
      },
    })
    const gone = new Promise((resolve) => client.addEventListener('disconnected', ({ detail }) => resolve(detail)))
    strike(sockets[0])
    assert.match((await gone).message, /neither a string nor|does not say why/)
    assert.ok(await client.call('public/test'))
    assert.equal(sockets.length, 2)
    await client.close()
  }
})

test('what cannot work is told at once', async () => {
  for (const [options, field] of [
    [{ callTimeout: 0 }, 'callTimeout'],
    [{ callTimeout: '5s' }, 'callTimeout'],
    [{ callTimout: 5 }, 'callTimout'],
    [{ headers: {} }, 'headers'],
    [{ backoff: { factor: 1.5 } }, 'backoff.factor'],
    [{ backoff: { maxAttempts: 0 } }, 'backoff.maxAttempts'],
    [{ backoff: 5 }, 'backoff'],
    [{ queue: { overflow: 'explode' } }, 'queue.overflow'],
    [{ whenOffline: 'never' }, 'whenOffline'],
    [{ limiter: new Limiter({ calls: { capacity: 1 } }) }, 'limiter'],
    [{ limiter: {} }, 'limiter'],
    [{ signal: {} }, 'signal'],
    [{ WebSocket: 5 }, 'WebSocket'],
    [{ probe: {} }, 'probe.method'],
  ]) {
    await assert.rejects(connect(url, { ...quick, ...options }), (error) => {
      assert.ok(error instanceof SteadyError)
      assert.equal(error.field, field)
      return true
    })
  }
  for (const [changes, field] of [
    [null, 'limiter'],
    [{ calls: 5 }, 'calls'],
    [{ calls: { capacity: NaN } }, 'calls.capacity'],
    [{ calls: { capacity: -5 } }, 'calls.capacity'],
    [{ calls: { size: 5 } }, 'calls.size'],
  ]) {
    assert.throws(() => new Limiter(changes), { field })
  }
  const client = await deribit()
  const sent = client.stats.sent
  for (const [run, field] of [
    [() => client.call(5), 'method'],
    [() => client.notify(null), 'method'],
    [() => client.subscribe(7), 'channel'],
    [() => client.subscribeAs(), 'channel'],
    [() => client.book(7), 'instrument'],
    [() => client.respond(7, { result: 1 }), 'id'],
    [() => client.send(undefined), 'data'],
    [() => client.send(5), 'data'],
    [() => client.send({ method: 'public/test' }), 'data'],
    [() => client.send(new Float64Array(2)), 'data'],
  ]) {
    await assert.rejects(run(), { field, outcome: 'not-sent' })
  }
  assert.equal(client.stats.sent, sent)
  await client.close()
  await assert.rejects(connect('http://example.com', quick), { field: 'url' })
  await assert.rejects(connect(url, null), { field: 'options' })
  await assert.rejects(deribit({ environment: 'test' }), { field: 'environment' })
  const one = await deribit()
  for (const [attempt, field] of [
    [one.call('public/test', {}, { tiemout: 5 }), 'tiemout'],
    [one.call('public/test', {}, { timeout: NaN }), 'timeout'],
    [one.call('public/test', { big: 1n }), 'params'],
    [one.batch([{}]), 'method'],
    [one.buy({ instrument_name: TICKER }, { signal: AbortSignal.abort() }), 'signal'],
    [one.cancel('1', { signal: AbortSignal.abort() }), 'signal'],
  ]) {
    await assert.rejects(attempt, { field, outcome: 'not-sent' })
  }
  // It closes, though nobody waits for it.
  await assert.rejects(one.close({ signal: AbortSignal.abort() }), { name: 'AbortError' })
  assert.equal((await one.ended).advice, 'stop')
  await assert.rejects(connect('ws://127.0.0.1:59999', quick), { category: 'connection', advice: 'retry' })
  await assert.rejects(connect('ws://127.0.0.1:59999', { ...quick, signal: AbortSignal.abort() }), { name: 'AbortError' })
})

test('a closed client keeps no process alive, though its peer is mute', async () => {
  const server = new WebSocketServer({ port: 0 })
  server.on('connection', (_, request) => request.socket.pause())
  const program = `
    const { connect } = await import('steadysocket')
    const { default: WebSocket } = await import('ws')
    const client = await connect('ws://127.0.0.1:${server.address().port}', { WebSocket, closeTimeout: 100 })
    await client.close()`
  const argv = ['--input-type=module', '--eval', program]
  try {
    // By itself `ws` would wait for half a minute.
    await promisify(execFile)(process.execPath, argv, { cwd: import.meta.dirname, timeout: 20_000 })
  } finally {
    server.clients.forEach((client) => client.terminate())
    server.close()
  }
})

test('a runtime with a WebSocket of its own needs no other', async () => {
  const program = `
    const { connectDeribit } = await import('steadysocket')
    const client = await connectDeribit({ environment: 'testnet', url: '${url}' })
    for await (const { bid } of await client.subscribe('${TICKER}')) break
    await client.close()
    console.log(client.state.name)`
  // Node 22's, which Node 20 has behind a flag.
  const flags = process.version.startsWith('v20.') ? ['--experimental-websocket', '--no-warnings'] : []
  const argv = [...flags, '--input-type=module', '--eval', program]
  const { stdout } = await promisify(execFile)(process.execPath, argv, { cwd: import.meta.dirname, timeout: 30_000 })
  assert.equal(stdout, 'ended\n')
})
