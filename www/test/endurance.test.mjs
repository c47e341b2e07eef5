// A page that is left open: in the background, through sleep, through very many reconnects. `node --test test/endurance.test.mjs`
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { changes, counter, desk, isLive, ownComplaints } from './support.mjs'

const stage = desk('--no-credits')
const RECONNECTS = Number(process.env.RECONNECTS ?? 100)

test('a hidden page does not paint its tape, loses nothing, and is up to date when it is seen again', async (t) => {
  const page = await stage.open(t, { prepare: (page) => page.addInitScript(hideable) })
  const socket = await page.waitForEvent('websocket')
  await isLive(page)
  await page.evaluate(() => hide(true))
  const before = await page.textContent('#tape table')
  for (let received = 0; received < 500; received++) await socket.waitForEvent('framereceived')
  assert.equal(await page.textContent('#tape table'), before)
  await page.evaluate(() => hide(false))
  await isLive(page)
  await changes(page, '#book .mid')
  await changes(page, '#tape td')
  assert.equal(await counter(page, 'Dropped'), 0)
  assert.equal(await counter(page, 'Reconnects'), 0)
  assert.deepEqual(page.complaints, [])
})

test('a machine that slept for an hour is up to date when it wakes', async (t) => {
  const page = await stage.live(t, { prepare: (page) => page.clock.install() })
  await page.clock.fastForward('01:00:00')
  await isLive(page)
  await changes(page, '#book .mid')
  await changes(page, '#clock')
  assert.deepEqual(ownComplaints(page), [])
})

test(`memory is flat over ${RECONNECTS} reconnects`, async (t) => {
  const page = await stage.live(t)
  const devtools = await page.context().newCDPSession(page)
  // What the charts and the log keep grows until it is full: the first part is not measured.
  await reconnect(page, RECONNECTS / 2)
  const before = await usage(devtools)
  await reconnect(page, RECONNECTS / 2)
  const after = await usage(devtools)
  t.diagnostic(`before ${JSON.stringify(before)}, after ${JSON.stringify(after)}`)
  assert.ok(after.heap - before.heap < 1_500_000, 'the heap')
  assert.ok(after.buffers - before.buffers < 500_000, 'buffers, that of the WebAssembly among them')
  assert.ok(after.listeners - before.listeners < 10, 'listeners')
  assert.ok(after.nodes - before.nodes < 300, 'nodes')
  assert.equal(await counter(page, 'Reconnects'), RECONNECTS)
  assert.deepEqual(ownComplaints(page), [])
})

/** Runs in the page before everything else: makes it as if it were hidden. */
function hideable() {
  let hidden = false
  const waiting = []
  const frame = window.requestAnimationFrame.bind(window)
  window.requestAnimationFrame = (paint) => (hidden ? waiting.push(paint) : frame(paint))
  Object.defineProperty(document, 'hidden', { get: () => hidden })
  Object.defineProperty(document, 'visibilityState', { get: () => (hidden ? 'hidden' : 'visible') })
  window.hide = (yes) => {
    hidden = yes
    document.dispatchEvent(new Event('visibilitychange'))
    if (!yes) for (const paint of waiting.splice(0)) frame(paint)
  }
}

async function reconnect(page, times) {
  await page.evaluate(async (times) => {
    const counter = document.querySelector('#counters dd')
    for (let done = 0; done < times; done++) {
      const before = counter.textContent
      document.querySelector('#retry').click()
      while (counter.textContent === before) await new Promise(requestAnimationFrame)
    }
  }, times)
}

/** What the page holds, after a collection of what it does not. */
async function usage(devtools) {
  await devtools.send('HeapProfiler.collectGarbage')
  const { usedSize, backingStorageSize } = await devtools.send('Runtime.getHeapUsage')
  const { nodes, jsEventListeners } = await devtools.send('Memory.getDOMCounters')
  return { heap: usedSize, buffers: backingStorageSize, nodes, listeners: jsEventListeners }
}
