// The package in a plain page of a real browser, each entry: `node --test test/page.mjs`.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { complaints, launch, serve, startExchange } from '../../tests/browser-kit/index.mjs'

const page = '<!doctype html><title>steadysocket</title><link rel="icon" href="data:,">'
let browser, exchange, site

before(async () => {
  exchange = await startExchange('--no-credits')
  site = await serve(fileURLToPath(new URL('..', import.meta.url)), { pages: { '/': page } })
  browser = await launch()
})
after(async () => {
  await browser?.close()
  await site?.stop()
  await exchange?.stop()
})

for (const entry of ['index', 'inline']) {
  test(`a page that imports ${entry}`, async () => {
    const page = await browser.newPage()
    const found = complaints(page)
    await page.goto(site.url)
    const { ticks, state } = await page.evaluate(live, [`/dist/${entry}.js`, exchange.url])
    assert.equal(state, 'ended')
    assert.ok(ticks > 2)
    assert.deepEqual(found, [])
    await page.close()
  })
}

/** Receives data, survives a cut, and closes. Runs in the page. */
async function live([entry, url]) {
  const { connectDeribit } = await import(entry)
  const client = await connectDeribit({ environment: 'testnet', url, backoff: { base: 5 } })
  let ticks = 0
  for await (const tick of await client.subscribe('ticker.BTC-PERPETUAL.100ms')) {
    if (++ticks === 2) await client.call('local/fault', { command: 'drop @newest' })
    if (ticks > 2 && client.stats.connections === 2) break
  }
  await client.close()
  return { ticks, state: client.state.name }
}
