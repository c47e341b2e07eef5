// The npm package in a real browser under the same load: `browser.mjs URL SECONDS` prints a sample on each line.
import { fileURLToPath } from 'node:url'

import { complaints, launch, serve } from '../browser-kit/index.mjs'

const [url, seconds] = [process.argv[2], Number(process.argv[3])]
const dist = fileURLToPath(new URL('../../pkg/dist', import.meta.url))
const KIB = 1024

const site = await serve(dist, { pages: { '/': '<!doctype html><link rel="icon" href="data:,"><title>soak</title>' } })
const browser = await launch()
const page = await browser.newPage()
const found = complaints(page)
await page.goto(site.url)
const devtools = await page.context().newCDPSession(page)
await page.evaluate(load, url)

const start = Date.now()
while (Date.now() - start < seconds * 1000) {
  const at = Date.now() - start
  // What is no longer held is no leak.
  await devtools.send('HeapProfiler.collectGarbage')
  const { usedSize, backingStorageSize } = await devtools.send('Runtime.getHeapUsage')
  const { jsEventListeners } = await devtools.send('Memory.getDOMCounters')
  const { messages, connections, wasm, references } = await page.evaluate(() => globalThis.counts())
  const values = [usedSize / KIB, backingStorageSize / KIB, wasm / KIB, references, jsEventListeners]
  console.log(JSON.stringify({ at, messages, connections, values: values.map(Math.round) }))
  await new Promise((resolve) => setTimeout(resolve, Math.max(seconds, 200)))
}
const failed = await page.evaluate(() => globalThis.failed)
// A cut is an error on the console of the browser, whatever the page makes of it.
const problems = [...failed, ...found.filter((text) => !text.includes(`WebSocket connection to '${url}`))]
console.error(`chromium ${browser.version()}`)
for (const problem of problems) console.error(problem)
await browser.close()
await site.stop()
process.exit(problems.length === 0 ? 0 : 1)

/** Runs in the page: does what load.rs does. */
async function load(url) {
  const { connect } = await import('/index.js')
  const { default: init } = await import('/core.js')
  const sleep = (time) => new Promise((resolve) => setTimeout(resolve, time))
  globalThis.failed = []
  const forever = (task) => void task().catch((error) => globalThis.failed.push(String(error)))
  const options = { backoff: { base: 1, cap: 5, minUptime: 0 }, retryInitialConnect: true }
  const client = await connect(url, options)
  // The core is loaded by now: this only asks for it.
  const core = await init()
  let messages = 0
  globalThis.counts = () => {
    const wasm = core.memory.buffer.byteLength
    return { messages, connections: client.stats.connections, wasm, references: core.__wbindgen_externrefs.length }
  }
  for (const channel of ['book', 'trades', 'ticker', 'quote']) {
    const stream = await client.subscribe(channel)
    forever(async () => {
      for await (const _ of stream) messages += 1
      throw new Error(`${channel} ended`)
    })
  }
  for (let caller = 0; caller < 4; caller++) {
    forever(async () => {
      for (;;) {
        try {
          await client.call('echo', { text: 'y'.repeat(100) })
        } catch (error) {
          if (error.category !== 'connection') throw error
        }
        await sleep(5)
      }
    })
  }
  // Channels that nobody asked for before, each for a moment.
  forever(async () => {
    for (let number = 0; ; number++) {
      const stream = await client.subscribe(`new.${number}`)
      await sleep(20)
      stream.close()
    }
  })
  // Clients that live for a moment.
  forever(async () => {
    for (;;) {
      const other = await connect(url, options)
      await other.call('echo', {}).catch(() => {})
      await other.close()
      await sleep(100)
    }
  })
}
