// A browser, an exchange, and a page that does what consumer/live.js says.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { fileURLToPath } from 'node:url'

import { complaints, launch, startExchange } from '../../tests/browser-kit/index.mjs'

/** A path beside this file. */
export const here = (path) => fileURLToPath(new URL(path, import.meta.url))

/** For the tests of a file: a browser and an exchange, which go with them. */
export function stage({ browser = {}, exchange = ['--no-credits'] } = {}) {
  const stage = {}
  before(async () => {
    stage.exchange = await startExchange(...exchange)
    stage.browser = await launch(browser)
  })
  after(async () => {
    await stage.browser?.close()
    await stage.exchange?.stop()
  })
  return stage
}

/** Opens a page of the consumer, and expects that it lives, without a word on its console. */
export async function expectLive({ browser, exchange }, url) {
  const page = await browser.newPage()
  const found = complaints(page)
  await page.goto(`${url}?exchange=${exchange.url}`)
  await page.waitForFunction(() => globalThis.outcome)
  const { ticks, state } = await page.evaluate(() => globalThis.outcome)
  assert.ok(ticks > 2)
  assert.equal(state, 'ended')
  assert.deepEqual(found, [])
  await page.close()
}
