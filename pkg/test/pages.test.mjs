// The package in plain pages, without any build step.
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { serve } from '../../tests/browser-kit/index.mjs'
import { examples } from './readme.mjs'
import { expectLive, here, stage } from './support.mjs'

const actors = stage()

const IMPORTS = { steadysocket: '/node_modules/steadysocket/dist/index.js' }
const page = (body) => `<!doctype html><title>steadysocket</title><link rel="icon" href="data:,">${body}`
const PAGES = {
  '/': page(`
    <script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>
    <script type="module" src="/consumer/main.js"></script>`),
  '/inline': page(`
    <script type="importmap">
      { "imports": { "steadysocket/inline": "/node_modules/steadysocket/dist/inline.js" } }
    </script>
    <script type="module" src="/consumer/inline.js"></script>`),
  '/empty': page(''),
}

test('a page that imports the package', async (t) => {
  const site = await serve(here('.'), { pages: PAGES })
  t.after(site.stop)
  await expectLive(actors, `${site.url}/`)
})

test('a page that imports the package with its wasm inline', async (t) => {
  const site = await serve(here('.'), { pages: PAGES })
  t.after(site.stop)
  await expectLive(actors, `${site.url}/inline`)
})

test("the README's page", async (t) => {
  const { browser, exchange } = actors
  const [html] = examples('html')
  const local = html.replace("environment: 'testnet'", `environment: 'testnet', url: '${exchange.url}'`)
  assert.notEqual(local, html)
  const site = await serve(here('.'), { pages: { '/': local } })
  t.after(site.stop)
  const page = await browser.newPage()
  await page.goto(site.url)
  await page.waitForFunction(() => Number(document.querySelector('#price').textContent) > 0)
  exchange.command('drop')
  await page.waitForFunction(() => document.querySelector('#price').className === 'fresh')
  await page.close()
})

/** As the README tells it. */
const policy = (scripts) => ({
  'content-security-policy': `default-src 'self'; script-src 'self' ${scripts}; connect-src 'self' ws://127.0.0.1:*; img-src data:`,
})

const inPolicy = ([entry, url]) =>
  import(entry).then(({ connectDeribit }) =>
    connectDeribit({ environment: 'testnet', url }).then(
      (client) => client.close().then(() => 'live'),
      (error) => `${error.name}: ${error.message}`,
    ),
  )

test("a page with a content security policy needs 'wasm-unsafe-eval', and says so without it", async (t) => {
  const { browser, exchange } = actors
  for (const [scripts, outcome] of [
    ["'wasm-unsafe-eval'", /^live$/],
    ['', /wasm|WebAssembly|Content Security Policy/i],
  ]) {
    const site = await serve(here('.'), { pages: PAGES, headers: policy(scripts) })
    t.after(site.stop)
    const page = await browser.newPage()
    await page.goto(`${site.url}/empty`)
    assert.match(await page.evaluate(inPolicy, [IMPORTS.steadysocket, exchange.url]), outcome)
    await page.close()
  }
})

test('workers', async (t) => {
  const { browser, exchange } = actors
  const site = await serve(here('.'), { pages: PAGES })
  t.after(site.stop)
  const page = await browser.newPage()
  await page.goto(`${site.url}/empty`)
  for (const kind of ['Worker', 'SharedWorker']) {
    const url = `/consumer/worker.js?exchange=${exchange.url}`
    const outcome = await page.evaluate(([kind, url]) => new Promise((resolve) => {
      const worker = new globalThis[kind](url, { type: 'module' })
      worker.onerror = () => resolve('it did not load')
      ;(worker.port ?? worker).onmessage = ({ data }) => resolve(data)
    }), [kind, url])
    assert.ok(outcome.ticks > 2, `${kind}: ${outcome}`)
    assert.equal(outcome.state, 'ended')
    assert.equal(outcome.quotes, 3)
  }
  await page.close()
})
