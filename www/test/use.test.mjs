// The page under somebody's hands: keys, links, themes, sizes, assistive technology. `node --test test/use.test.mjs`
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { test } from 'node:test'

import { changes, counts, desk, events, isLive, reads } from './support.mjs'

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const stage = desk('--no-credits')
const focused = (page) => page.evaluate(() => document.activeElement.textContent)

test('every shortcut does what the list says, and single keys can be turned off', async (t) => {
  const page = await stage.live(t)
  await page.keyboard.press('/')
  await page.keyboard.type('eth perp')
  await page.keyboard.press('Enter')
  await reads(page, '#instrument-name', /^ETH-PERPETUAL$/)
  assert.match(page.url(), /instrument=ETH-PERPETUAL$/)
  await isLive(page)
  await page.keyboard.press('[')
  await reads(page, '#instrument-name', /^BTC-PERPETUAL$/)
  await page.keyboard.press(']')
  await reads(page, '#instrument-name', /^ETH-PERPETUAL$/)
  await page.keyboard.press('t')
  assert.equal(await page.getAttribute('html', 'data-theme'), 'light')
  await isLive(page)
  await page.keyboard.press('r')
  await counts(page, 'Reconnects', 1)
  await isLive(page)
  await page.keyboard.press('1')
  await counts(page, 'Reconnects', 2)
  await isLive(page)
  await page.keyboard.press('?')
  await page.waitForSelector('#help-dialog:visible')
  await page.uncheck('#single-keys')
  await page.keyboard.press('Escape')
  await page.waitForSelector('#help-dialog', { state: 'hidden' })
  await page.keyboard.press('1')
  await page.keyboard.press('e')
  assert.equal(await page.isHidden('#exchange-dialog'), true)
  assert.equal((await events(page)).filter((text) => text === 'You: cut').length, 1)
  await page.reload()
  await isLive(page)
  assert.equal(await page.isChecked('#single-keys'), false, 'it is remembered')
})

test('Tab comes to each group once, arrows move within it', async (t) => {
  const page = await stage.live(t)
  const stops = []
  for (let count = 0; count < 14; count++) {
    await page.keyboard.press('Tab')
    stops.push(await page.evaluate(() => (document.activeElement.closest('[id]') ?? document.body).id))
  }
  const order = ['pick-exchange', 'pick-instrument', 'theme', 'show-help', 'markets', 'resolutions', 'chart', 'tape']
  assert.deepEqual(stops.filter((id) => order.includes(id)), order)
  await page.focus('#markets [tabindex="0"]')
  await page.keyboard.press('ArrowRight')
  await reads(page, '#instrument-name', /^ETH-PERPETUAL$/)
  assert.match(await focused(page), /^ETH-PERPETUAL/)
  assert.equal(await page.locator('#markets [aria-checked=true]').count(), 1)
  await page.focus('#resolutions [tabindex="0"]')
  await page.keyboard.press('End')
  assert.equal(await page.getAttribute('#resolutions [data-item="1D"]', 'aria-checked'), 'true')
  await page.focus('#faults [tabindex="0"]')
  await page.keyboard.press('ArrowDown')
  assert.match(await focused(page), /^Stall/)
  const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle)
  assert.equal(ring, 'solid', 'focus is seen')
})

test('a dialog gives the focus back', async (t) => {
  const page = await stage.live(t)
  await page.focus('#pick-exchange')
  await page.keyboard.press('Enter')
  await page.waitForSelector('#exchange-dialog:visible')
  await page.keyboard.press('Escape')
  await page.waitForSelector('#exchange-dialog', { state: 'hidden' })
  assert.equal(await page.evaluate(() => document.activeElement.id), 'pick-exchange')
})

test('a link shows what it says; an instrument that is not listed gives way to one that is', async (t) => {
  const exchange = encodeURIComponent(stage.exchange.url)
  const page = await stage.live(t, { hash: `#exchange=${exchange}&instrument=SOL_USDC-PERPETUAL` })
  assert.equal(await page.textContent('#chart-title'), 'SOL_USDC-PERPETUAL')
  await page.evaluate((exchange) => (location.hash = `exchange=${exchange}&instrument=NOTHING`), exchange)
  await reads(page, '#chart-title', /^BTC-PERPETUAL$/)
})

test('nothing is refused by the policy, and the policy is strict', async (t) => {
  const response = await fetch(stage.site.url)
  const policy = response.headers.get('content-security-policy')
  assert.match(policy, /default-src 'none'/)
  assert.match(policy, /script-src 'self' 'wasm-unsafe-eval';/)
  assert.doesNotMatch(policy, /'unsafe-inline'|'unsafe-eval'| \*[; ]|data:/)
  const page = await stage.live(t)
  const elsewhere = []
  page.on('request', (request) => new URL(request.url()).hostname !== '127.0.0.1' && elsewhere.push(request.url()))
  await page.reload()
  await isLive(page)
  assert.deepEqual(elsewhere, [], 'nothing comes from elsewhere')
  assert.deepEqual(page.complaints, [])
})

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing, in the ${colorScheme}`, async (t) => {
    const page = await stage.live(t, { colorScheme })
    assert.deepEqual(await violations(page), [])
    for (const [key, dialog] of [['e', 'exchange'], ['/', 'instrument'], ['?', 'help']]) {
      await page.keyboard.press(key)
      await page.waitForSelector(`#${dialog}-dialog:visible`)
      assert.deepEqual(await violations(page), [], dialog)
      await page.keyboard.press('Escape')
      await page.waitForSelector(`#${dialog}-dialog`, { state: 'hidden' })
    }
    await stage.exchange.command('refuse 503')
    await page.keyboard.press('1')
    await page.waitForSelector('#book[data-state=stale]')
    const stale = await violations(page)
    await stage.exchange.command('open')
    assert.deepEqual(stale, [], 'stale')
    await page.keyboard.press('e')
    await page.fill('#custom-url', 'ws://127.0.0.1:9/')
    await page.keyboard.press('Enter')
    await page.waitForSelector('#outage:visible')
    assert.deepEqual(await violations(page), [], 'outage')
  })
}

for (const [width, height] of [[390, 844], [834, 1112], [1280, 800], [1920, 1080]]) {
  test(`at ${width} × ${height} everything has its place and keeps it`, async (t) => {
    const page = await stage.live(t, { viewport: { width, height }, prepare: (page) => page.addInitScript(watchShifts) })
    const [content, view] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
    assert.equal(content, view, 'nothing sticks out')
    await stage.exchange.command('drop')
    await counts(page, 'Reconnects', 1)
    await isLive(page)
    await changes(page, '#book .mid')
    await changes(page, '#latency')
    // New entries of the log push the older ones down; nothing else moves, from the first frame on.
    const moved = await page.evaluate(() => shifts.reduce((sum, value) => sum + value, 0))
    t.diagnostic(`moved by ${moved}`)
    assert.ok(moved < 0.02, `moved by ${moved}`)
  })
}

/** Runs in the page before everything else: notes how far things move that were already there. */
function watchShifts() {
  window.shifts = []
  const note = (list) => shifts.push(...list.getEntries().map(({ value }) => value))
  new PerformanceObserver(note).observe({ type: 'layout-shift', buffered: true })
}

/** What axe finds wrong by WCAG 2.2 AA and good practice, in a few words each. */
async function violations(page) {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() =>
    window.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }),
  )
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, any }) => `${html} ${any[0]?.message ?? ''}`).join(' | ')}`)
}
