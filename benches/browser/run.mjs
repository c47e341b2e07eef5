// What a message costs a page's main thread, by contestant: `make bench-browser`. ROUNDS=n, ONLY=load.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'

import { build } from 'esbuild'

import { launch, serve } from '../../tests/browser-kit/index.mjs'
import { LOADS } from './loads.mjs'
import { report } from './report.mjs'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const ROUNDS = Number(process.env.ROUNDS ?? 7)
const PACKAGE = here('../../pkg')
const OTHERS = ['partysocket', 'reconnecting-websocket', 'rpc-websockets']

/** Who takes part in what. `deaf` reads nothing: what it costs is the browser's own. */
const FIELD = {
  objects: ['deaf', 'raw', ...OTHERS, 'steadysocket'],
  coalesced: ['deaf', 'raw', 'steadysocket'],
  book: ['deaf', 'raw', 'steadysocket'],
  levels: ['deaf', 'raw', 'steadysocket'],
}

/** The contestants' code in one file, beside the package's wasm. */
async function bundle() {
  const folder = here('../../target/bench-browser')
  await build({
    entryPoints: [here('page.mjs')],
    bundle: true,
    minify: true,
    format: 'esm',
    outfile: `${folder}/page.js`,
    define: { global: 'globalThis' },
    alias: { steadysocket: `${PACKAGE}/dist/index.js` },
    logLevel: 'error',
  })
  await writeFile(`${folder}/core_bg.wasm`, await readFile(`${PACKAGE}/dist/core_bg.wasm`))
  return folder
}

/** A page that is connected, and costs what `cost()` says: µs of the main thread's processor time a message. */
async function contestant(browser, server, page_, name, load) {
  const page = await (await browser.newContext()).newPage()
  page.on('pageerror', (error) => console.error(`${name}, ${load}: ${error}`))
  await page.goto(page_)
  const path = `/${load}/${name}`
  await page.evaluate((given) => bench.open(...given), [name, load, `ws://127.0.0.1:${server.port}${path}`])
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' })
  const spent = async () => {
    const { metrics } = await devtools.send('Performance.getMetrics')
    return metrics.find(({ name }) => name === 'TaskDuration').value
  }
  const cost = async () => {
    await devtools.send('HeapProfiler.collectGarbage')
    await page.evaluate((given) => void (globalThis.taken = bench.taken(...given)), [name, load])
    const before = await spent()
    server.process.send({ path, load })
    await page.evaluate(() => taken)
    return ((await spent()) - before) * (1e6 / LOADS[load].count)
  }
  const book = () => page.evaluate(() => globalThis.book?.())
  return { name, cost, book, close: () => page.context().close() }
}

/** The costs of a load, by contestant and round. They take turns, each time in another order. */
async function measure(browser, server, page, load) {
  const field = []
  for (const name of FIELD[load]) field.push(await contestant(browser, server, page, name, load))
  const costs = Object.fromEntries(field.map(({ name }) => [name, []]))
  // The first round warms up.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const { name, cost } of field) {
      const µs = await cost()
      if (round > 0) costs[name].push(µs)
    }
    field.push(field.shift())
    process.stderr.write('.')
  }
  const books = await Promise.all(field.filter(({ name }) => name !== 'deaf').map(({ book }) => book()))
  const different = new Set(books.map((book) => JSON.stringify(book)))
  if (different.size > 1) throw new Error(`not the same book: ${[...different].join(' and ')}`)
  for (const { close } of field) await close()
  return costs
}

async function versions(browser) {
  const version = async (path) => JSON.parse(await readFile(path, 'utf8')).version
  const found = { steadysocket: await version(`${PACKAGE}/package.json`) }
  for (const name of OTHERS) found[name] = await version(here(`node_modules/${name}/package.json`))
  return {
    ...found,
    Chromium: browser.version(),
    Node: process.versions.node,
    processor: `${cpus().length} × ${cpus()[0].model}`,
  }
}

const pages = await serve(await bundle(), {
  pages: { '/': '<!doctype html><title>bench</title><script type="module" src="page.js"></script>' },
})
const child = fork(here('server.mjs'))
const [{ port }] = await once(child, 'message')
const browser = await launch()
try {
  const loads = Object.keys(FIELD).filter((load) => [undefined, load].includes(process.env.ONLY))
  const costs = {}
  for (const load of loads) costs[load] = await measure(browser, { process: child, port }, `${pages.url}/`, load)
  process.stderr.write('\n')
  const { table, json } = report(costs, await versions(browser), PACKAGE)
  await mkdir(here('../../target'), { recursive: true })
  await writeFile(here('../../target/bench-browser.json'), `${JSON.stringify(json, null, 2)}\n`)
  console.log(table)
} finally {
  await browser.close()
  await pages.stop()
  child.kill()
}
