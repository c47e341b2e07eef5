// What browsers do to connections: offline, hidden tabs, frozen pages, refusals, and a thousand reconnects.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { EVENLY, openTab, serve, startExchange } from '../../tests/browser-kit/index.mjs'
import { here, stage } from './support.mjs'

const actors = stage({ browser: { ignoreDefaultArgs: EVENLY } })

const PACKAGE = '/node_modules/steadysocket/dist/index.js'
let site
before(async () => {
  const page = '<!doctype html><title>steadysocket</title><link rel="icon" href="data:,">'
  site = await serve(here('.'), { pages: { '/': page, '/elsewhere': page } })
})
after(() => site?.stop())

/** A page that holds the package as `steadysocket` and a client of the exchange as `client`, with these options. What
 * `prepare` does there is done first. */
async function open(t, options = {}, prepare = () => {}) {
  const context = await actors.browser.newContext()
  t.after(() => context.close())
  const page = await context.newPage()
  await page.goto(site.url)
  await page.evaluate(begin, [PACKAGE, actors.exchange.url, options])
  await page.evaluate(prepare)
  return { context, page }
}

/** Runs in the page. Everything that the client fires is kept in `told`. */
async function begin([entry, url, options]) {
  globalThis.steadysocket = await import(entry)
  globalThis.told = []
  globalThis.options = { environment: 'testnet', url, backoff: { base: 5 }, ...options }
  globalThis.client = await steadysocket.connectDeribit(globalThis.options)
  for (const event of ['state', 'disconnected', 'asked']) {
    client.addEventListener(event, ({ detail }) => told.push({ event, ...detail }))
  }
}

test('a thousand reconnects leave nothing behind', async (t) => {
  const { context, page } = await open(t, {}, async () => {
    const { Limiter, connectDeribit } = steadysocket
    // The venue's allowance for subscribing would make this take five minutes.
    const plenty = { capacity: 9_999_999, refill: 9_999_999 }
    const limiter = new Limiter({ 'non-matching': plenty, subscribe: plenty })
    globalThis.busy = await connectDeribit({ ...options, limiter })
    // Nobody reads, so that what waits must not grow.
    globalThis.stream = await busy.subscribe('ticker.BTC-PERPETUAL.100ms', { overflow: 'latest' })
  })
  const reconnect = async (times) => {
    for (let n = 0; n < times; n++) {
      const live = new Promise((resolve) => {
        const note = ({ detail }) => {
          if (detail.name !== 'live') return
          busy.removeEventListener('state', note)
          resolve()
        }
        busy.addEventListener('state', note)
      })
      busy.reconnect()
      await live
    }
  }
  const measure = await meter(context, page)
  const marks = []
  for (const times of [200, 400, 400]) {
    await page.evaluate(reconnect, times)
    marks.push(await measure())
    t.diagnostic(`after ${times} reconnects more: ${JSON.stringify(marks.at(-1))}`)
  }
  assert.equal(await page.evaluate(() => busy.stats.connections), 1001)
  const [first, , last] = marks
  assert.ok(last.heap < first.heap * 1.1, 'JavaScript objects pile up')
  assert.equal(last.wasm, first.wasm, 'the core grows')
  assert.equal(last.listeners, first.listeners, 'handlers pile up')
  assert.ok(last.sockets <= 4, 'sockets pile up')
})

/** What a page holds: bytes of its heap and of the core, event handlers, and sockets. */
async function meter(context, page) {
  const devtools = await context.newCDPSession(page)
  await devtools.send('Performance.enable')
  const ask = async (of, functionDeclaration) => {
    const { result } = await devtools.send('Runtime.evaluate', { expression: `${of}.prototype` })
    const { objects } = await devtools.send('Runtime.queryObjects', { prototypeObjectId: result.objectId })
    const call = { objectId: objects.objectId, functionDeclaration, returnByValue: true }
    const answer = await devtools.send('Runtime.callFunctionOn', call)
    await devtools.send('Runtime.releaseObject', { objectId: objects.objectId })
    return answer.result.value
  }
  return async () => {
    // Twice, because what is let go in the first round may hold others.
    for (let round = 0; round < 2; round++) await devtools.send('HeapProfiler.collectGarbage')
    const sockets = await ask('WebSocket', 'function () { return this.length }')
    const wasm = await ask('WebAssembly.Memory', 'function () { return this[0].buffer.byteLength }')
    const { metrics } = await devtools.send('Performance.getMetrics')
    const metric = (wanted) => metrics.find(({ name }) => name === wanted).value
    return { heap: metric('JSHeapUsedSize'), wasm, listeners: metric('JSEventListeners'), sockets }
  }
}

test('a socket that is half open after the network went is found, and replaced when it is back', async (t) => {
  // Nothing would be asked for an hour, if the browser did not say that it is offline.
  const { context, page } = await open(t, { heartbeat: { idle: 3_600_000, timeout: 300 } })
  await page.evaluate(() => {
    globalThis.ticks = 0
    ;(async () => {
      for await (const tick of await client.subscribe('ticker.BTC-PERPETUAL.100ms')) ticks = tick.timestamp
    })()
  })
  await page.waitForFunction(() => ticks > 0)
  await context.setOffline(true)
  await page.waitForFunction(() => told.some(({ event }) => event === 'disconnected'))
  const before = await page.evaluate(() => told.map(({ event, name }) => name ?? event))
  assert.deepEqual(before.slice(0, 2), ['asked', 'disconnected'])
  assert.match(await page.evaluate(() => told[1].message), /nothing was received/)
  const last = await page.evaluate(() => ticks)
  await context.setOffline(false)
  await page.waitForFunction((last) => client.state.name === 'live' && ticks > last, last)
})

test('a hidden tab is never taken for a dead peer, and gets the newest value', async (t) => {
  const { browser, exchange } = actors
  const tab = await openTab(browser, site.url)
  const other = await openTab(browser, `${site.url}/elsewhere`)
  t.after(() => Promise.all([tab.close(), other.close()]))
  await other.show()
  // The browser fires timers once a second: asking the peer and giving it up happen in the same moment, late.
  await tab.evaluate(begin, [PACKAGE, exchange.url, { heartbeat: { idle: 200, timeout: 200 } }])
  const hidden = await tab.evaluate(async () => {
    const timestamps = []
    const stream = await client.subscribe('quote.BTC-PERPETUAL', { coalesce: 'frame' })
    const begun = performance.now()
    for await (const { timestamp } of stream) {
      timestamps.push(timestamp)
      if (performance.now() - begun > 4000) break
    }
    // Now nothing comes but what is asked for.
    while (told.filter(({ event }) => event === 'asked').length < 3) {
      await new Promise((resolve) => client.addEventListener('asked', resolve, { once: true }))
    }
    return { visibility: document.visibilityState, timestamps, dropped: stream.dropped, told, state: client.state.name }
  })
  assert.equal(hidden.visibility, 'hidden')
  assert.equal(hidden.state, 'live')
  assert.ok(!hidden.told.some(({ event }) => event === 'disconnected'), JSON.stringify(hidden.told))
  t.diagnostic(`hidden for 4 s: ${hidden.timestamps.length} values, ${hidden.dropped} replaced`)
  assert.ok(hidden.timestamps.length >= 2 && hidden.timestamps.length <= 7)
  assert.deepEqual(hidden.timestamps, hidden.timestamps.toSorted((a, b) => a - b))

  await tab.show()
  const shown = await tab.evaluate(async () => {
    let values = 0
    for await (const _ of await client.subscribe('quote.BTC-PERPETUAL', { coalesce: 'frame' })) if (++values === 20) break
    return { visibility: document.visibilityState, values }
  })
  assert.deepEqual(shown, { visibility: 'visible', values: 20 })
})

/** What was told from the moment that the page was away. No silence may be among it: the browser says itself when it has
 * ended the socket of a page that is not shown. */
async function expectBack(tab) {
  const { told, connections } = await tab.evaluate(async () => {
    // The end of the old socket may be told only after the page is back, to whoever asks just then.
    const ask = () =>
      client.call('public/get_time').catch((error) => {
        if (error.category !== 'connection') throw error
        return client.ready().then(ask)
      })
    await ask()
    return { told, connections: client.stats.connections }
  })
  const lost = told.filter(({ event }) => event === 'disconnected')
  assert.ok(lost.every(({ message }) => message.startsWith('dropped')), JSON.stringify(lost))
  assert.equal(connections, 1 + lost.length)
}

test('a page that was frozen is live again', async (t) => {
  const tab = await openTab(actors.browser, site.url)
  t.after(() => tab.close())
  await tab.evaluate(begin, [PACKAGE, actors.exchange.url, { heartbeat: { idle: 500, timeout: 2000 } }])
  await tab.send('Page.setWebLifecycleState', { state: 'frozen' })
  await new Promise((resolve) => setTimeout(resolve, 3000))
  await tab.send('Page.setWebLifecycleState', { state: 'active' })
  await expectBack(tab)
})

test('a page that comes back from the cache is live again', async (t) => {
  const tab = await openTab(actors.browser, site.url)
  t.after(() => tab.close())
  await tab.evaluate(begin, [PACKAGE, actors.exchange.url, {}])
  await tab.evaluate(() => addEventListener('pageshow', ({ persisted }) => (globalThis.persisted = persisted)))
  await tab.go(`${site.url}/elsewhere`)
  await tab.back()
  assert.equal(await tab.evaluate(() => globalThis.persisted), true)
  await expectBack(tab)
})

test('a URL that cannot work is told at once, and a refused socket never hangs', async (t) => {
  const { page } = await open(t)
  const attempts = [
    ['', 'url'],
    ['nonsense', 'url'],
    ['http://example.com', 'url'],
    ['ws://example.com', 'url'],
    ['wss://a.0x/', 'url'],
    ['wss://user:secret@example.com', 'url'],
    ['ws://127.0.0.1:1', undefined],
    ['ws://127.0.0.1:59999', undefined],
  ]
  const outcomes = await page.evaluate(async (attempts) => {
    const outcomes = []
    for (const [url] of attempts) {
      const begun = performance.now()
      const error = await steadysocket.connect(url).then(() => 'it connected', (error) => error)
      const { name, message, category, advice, field } = error
      outcomes.push({ url, name, message, category, advice, field, took: performance.now() - begun })
    }
    return outcomes
  }, attempts)
  for (const [index, outcome] of outcomes.entries()) {
    assert.equal(outcome.name, 'SteadyError')
    assert.equal(outcome.field, attempts[index][1], JSON.stringify(outcome))
    assert.equal(outcome.category, outcome.field ? 'application' : 'connection')
    assert.equal(outcome.advice, outcome.field ? 'change' : 'retry')
    assert.ok(!outcome.message.includes('secret'))
  }
})

test('the 33rd connection of an address is tried again, kindly', async (t) => {
  const exchange = await startExchange('--no-credits')
  t.after(() => exchange.stop())
  const { page } = await open(t)
  const refused = await page.evaluate(async (url) => {
    const { connectDeribit } = steadysocket
    const options = { environment: 'testnet', url, backoff: { base: 200, cap: 200 } }
    const made = await Promise.all(Array.from({ length: 32 }, () => connectDeribit(options)))
    globalThis.others = made
    const error = await connectDeribit(options).catch(({ message, category, advice }) => ({ message, category, advice }))
    globalThis.patient = connectDeribit({ ...options, retryInitialConnect: true })
    return error
  }, exchange.url)
  assert.deepEqual(refused, {
    message: 'could not connect: the browser could not connect and does not say why',
    category: 'connection',
    advice: 'retry',
  })
  const outcome = await page.evaluate(async () => {
    await new Promise((resolve) => setTimeout(resolve, 1000))
    await others[0].close()
    const client = await patient
    return client.stats
  })
  t.diagnostic(`attempts in a second with up to 200 ms between them: ${outcome.disconnects}`)
  assert.equal(outcome.connections, 1)
  assert.ok(outcome.disconnects >= 1 && outcome.disconnects < 50)
})
