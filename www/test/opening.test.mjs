// What a page meets before it was ever connected: `node --test test/opening.test.mjs`.
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { startExchange } from '../../tests/browser-kit/index.mjs'
import { changes, desk, isLive, ownComplaints, PATIENCE, reads } from './support.mjs'

/** As the venue has it: so many connections an address. */
const SEATS = 32
const stage = desk('--no-credits', '--max-connections', String(SEATS))

test('an address where nobody answers: which, why, and when the next attempt is', async (t) => {
  const page = await stage.live(t)
  await page.keyboard.press('e')
  await page.fill('#custom-url', 'ws://127.0.0.1:9/ws/api/v2')
  await page.keyboard.press('Enter')
  await page.waitForSelector('#outage:visible')
  assert.equal(await page.textContent('#outage-title'), 'No connection to ws://127.0.0.1:9/ws/api/v2')
  assert.notEqual(await page.textContent('#outage-text'), '')
  await reads(page, '#outage-next', /^Next attempt in \d+ s$/)
  await reads(page, '#lamp-text', /^Retry in \d/)
  for (const panel of ['book', 'chart', 'tape']) {
    assert.equal(await page.getAttribute(`#${panel}`, 'data-state'), 'waiting', 'nothing old is shown as new')
    assert.equal(await page.textContent(`#${panel} .veil`), 'No connection')
  }
  assert.match(page.url(), /#exchange=ws%3A%2F%2F127\.0\.0\.1%3A9%2Fws%2Fapi%2Fv2&/)
  // Back to where it was, by the browser's own button.
  await page.goBack()
  await isLive(page)
  assert.equal(await page.isHidden('#outage'), true)
  assert.deepEqual(ownComplaints(page), [])
})

test('an address that cannot be one is refused where it is typed', async (t) => {
  const page = await stage.live(t)
  await page.click('#pick-exchange')
  for (const [address, hint] of [
    ['', 'An address is needed'],
    ['nonsense', 'This is not an address'],
    ['https://example.com', 'must begin with wss://'],
    ['ws://example.com', 'Only this machine'],
    ['wss://example.com/#part', 'no part after #'],
  ]) {
    await page.fill('#custom-url', address)
    await page.press('#custom-url', 'Enter')
    await reads(page, '#exchange-hint', hint)
    assert.equal(await page.isVisible('#exchange-dialog'), true)
  }
  await page.click('#exchange-cancel')
  assert.equal(await page.isHidden('#exchange-dialog'), true)
  assert.match(await page.textContent('#lamp'), /Live/)
  assert.deepEqual(page.complaints, [])
})

test('an exchange that takes no commands is not offered any', async (t) => {
  const plain = await startExchange('--no-control')
  t.after(() => plain.stop())
  const page = await stage.live(t, { hash: `#exchange=${plain.url}` })
  await reads(page, '#faults .veil', 'Only the local exchange')
  assert.equal(await page.isDisabled('#faults button'), true)
  await page.keyboard.press('1')
  await changes(page, '#book .mid')
  assert.deepEqual(page.complaints, [])
})

test('an address that may hold a secret is neither in the link nor on the page', async (t) => {
  const page = await stage.live(t)
  await page.click('#pick-exchange')
  await page.fill('#custom-url', 'ws://trader:hunter2@127.0.0.1:9/ws/api/v2?token=s3cret')
  await reads(page, '#exchange-hint', 'Not kept in the link')
  await page.click('#exchange-connect')
  await page.waitForSelector('#outage:visible')
  const shown = page.url() + (await page.textContent('body')) + (await page.title())
  assert.doesNotMatch(shown, /hunter2|s3cret/)
  assert.deepEqual(ownComplaints(page), [])
})

test('the 33rd connection of an address is refused, and taken once there is a seat', async (t) => {
  const others = await stage.open(t, { hash: '#exchange=ws://127.0.0.1:9' })
  await others.evaluate(
    async ([url, seats]) => {
      window.sockets = Array.from({ length: seats }, () => new WebSocket(url))
      await Promise.all(sockets.map((socket) => new Promise((open) => (socket.onopen = open))))
    },
    [stage.exchange.url, SEATS],
  )
  const page = await stage.open(t)
  await page.waitForSelector('#outage:visible')
  await others.evaluate(() => sockets[0].close())
  // The seat is free once the exchange has seen the close.
  await page.waitForFunction(() => {
    document.querySelector('#outage-retry').click()
    return document.querySelector('#lamp').dataset.tone === 'good'
  }, undefined, { timeout: PATIENCE, polling: 250 })
  await isLive(page)
  assert.deepEqual(ownComplaints(page), [])
})

test('an exchange that is away when the page opens is found when it is back', async (t) => {
  await stage.exchange.command('silent x1')
  const page = await stage.open(t)
  await reads(page, '#state-name', 'Connecting')
  assert.equal(await page.textContent('#book .veil'), 'Connecting')
  // The attempt is given up after five seconds, the next one made five seconds later.
  await page.waitForSelector('#outage:visible')
  await isLive(page)
  assert.equal(await page.isHidden('#outage'), true)
  assert.deepEqual(ownComplaints(page), [])
})
