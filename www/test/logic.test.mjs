// What can be known without a page: bars, numbers as text, addresses. `node --test test/logic.test.mjs`
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { createServer } from 'vite'

let vite
const load = (path) => vite.ssrLoadModule(`/src/${path}.ts`)
before(async () => {
  const root = fileURLToPath(new URL('..', import.meta.url))
  vite = await createServer({ root, appType: 'custom', logLevel: 'warn', server: { middlewareMode: true, ws: false, watch: null } })
})
after(() => vite.close())

test('trades make bars; what comes late makes none', async () => {
  const { Bars } = await load('bars')
  const bars = new Bars(60)
  bars.trade(100, 1, 60_000)
  bars.trade(105, 2, 61_000)
  bars.trade(95, 3, 119_999)
  assert.deepEqual(bars.list, [{ time: 60, open: 100, high: 105, low: 95, close: 95, volume: 6 }])
  assert.equal(bars.trade(101, 1, 120_000).time, 120)
  assert.equal(bars.trade(99, 1, 119_000), undefined)
  assert.equal(bars.list.length, 2)
})

test('the exchange’s bars replace the newest, follow it, or are too old', async () => {
  const { Bars, fromHistory, fromSent, KEPT } = await load('bars')
  const bars = new Bars(60)
  const column = [1, 2, 3]
  const past = fromHistory({ ticks: [0, 60_000, 120_000], open: column, high: column, low: column, close: [1, 2], volume: column })
  assert.equal(past.length, 2, 'as many as the shortest column has')
  bars.replace(past)
  const sent = (tick, close) => fromSent({ tick, open: 1, high: 9, low: 1, close, volume: 1, cost: 1 })
  assert.equal(bars.put(sent(60_000, 5)).close, 5)
  assert.equal(bars.list.length, 2)
  assert.equal(bars.put(sent(0, 5)), undefined)
  for (let minute = 2; minute < KEPT + 50; minute++) bars.put(sent(minute * 60_000, 7))
  assert.equal(bars.list.length, KEPT)
})

test('numbers read the way traders write them', async () => {
  const { bytes, decimalsOf, duration, number, percent } = await load('format')
  assert.deepEqual([0.5, 1, 0.0005, 0.05, 10, 1e-8].map(decimalsOf), [1, 0, 4, 2, 0, 8])
  assert.equal(number(60_123.5, 1), '60,123.5')
  assert.equal(number(NaN, 1), '–')
  assert.deepEqual([1.5, -1.5, 0].map((value) => percent(value)), ['+1.50 %', '−1.50 %', ' 0.00 %'])
  const times = [640, 4_200, 59_400, 200_000, 7_500_000].map(duration)
  assert.deepEqual(times, ['640 ms', '4.2 s', '59 s', '3 min 20 s', '2 h 5 min'])
  assert.deepEqual([0, 999, 12_400, 5e6].map(bytes), ['0 B', '999 B', '12.4 kB', '5.0 MB'])
})

test('an address in the link is one that holds no secret, and comes back as it went', async () => {
  const { LOCAL, read, shareable, shown, TEST, written } = await load('exchange')
  for (const exchange of [{ kind: 'local' }, { kind: 'test' }, { kind: 'custom', url: 'wss://example.com/ws' }]) {
    assert.deepEqual(read(written(exchange)), exchange)
  }
  assert.deepEqual([read(null), read(LOCAL), read(TEST)].map(({ kind }) => kind), ['local', 'local', 'test'])
  for (const url of ['wss://a:b@example.com/', 'wss://example.com/?token=1', 'wss://token@example.com/', 'nonsense']) {
    assert.equal(shareable(url), false)
    assert.equal(written({ kind: 'custom', url }), undefined)
  }
  assert.equal(shown({ kind: 'custom', url: 'wss://a:b@example.com/ws?token=1' }), 'wss://example.com/ws (and more)')
})

test('a line has gaps where there was no value', async () => {
  const { Series } = await load('series')
  const series = new Series(5)
  assert.deepEqual(series.paths(100, 10), { line: '', area: '' })
  for (const value of [9, 0, 10, undefined, 5, 5]) series.push(value)
  const { line, area } = series.paths(100, 10, 0)
  assert.equal(line, 'M0.0 10.0L25.0 0.0M75.0 5.0L100.0 5.0')
  assert.equal(area.match(/Z/g).length, 2)
})

test('every phase has words, and a wait says how far it is', async () => {
  const { say } = await load('phrase')
  const reason = { message: 'gone', category: 'connection' }
  const waiting = say({ name: 'waiting', attempt: 3, delay: 2_000, reason }, 500, '')
  assert.deepEqual(waiting, { light: 'bad', name: 'Retry in 1.5 s', detail: 'Attempt 3; gone', progress: 0.25 })
  assert.equal(say({ name: 'failed', message: 'no', delay: undefined }, 0, '').name, 'No connection')
  for (const name of ['opening', 'restoring', 'live', 'closing']) assert.notEqual(say({ name }, 0, 'there').name, '')
})
