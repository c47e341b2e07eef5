// What goes wrong with a connection that was up: the page says so, and recovers. `node --test test/recovery.test.mjs`
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { changes, counter, counts, desk, events, inflict, isLive, ownComplaints, reads, record } from './support.mjs'

const stage = desk('--no-credits')

test('data moves', async (t) => {
  const page = await stage.live(t)
  for (const selector of ['#book .mid', '#tape td', '.card .price', '#quote .last', '#rate', '#latency', '#clock']) {
    await changes(page, selector)
  }
  await page.waitForFunction(() => /^[\d,.]+ BTC-PERPETUAL$/.test(document.title))
  assert.equal(await counter(page, 'Reconnects'), 0)
  assert.equal(await counter(page, 'Dropped'), 0)
  assert.deepEqual(page.complaints, [])
})

test('a cut makes everything stale, and then live again', async (t) => {
  const page = await stage.live(t)
  const seen = []
  for (const panel of ['#book', '#chart', '#tape', '.card']) seen.push(await record(page, panel, 'state'))
  const lamp = await record(page, '#lamp', 'tone')
  await inflict(page, 'Cut')
  await counts(page, 'Reconnects', 1)
  await isLive(page)
  await page.waitForSelector('.card[data-state=live]')
  for (const states of seen) assert.deepEqual(await states(), ['live', 'stale', 'live'])
  assert.equal((await lamp()).at(-1), 'good')
  await reads(page, '#log li', 'Live again after')
  assert.match((await events(page)).join('\n'), /Live again after[^]*Disconnected[^]*You: cut/)
  await changes(page, '#book .mid')
  assert.deepEqual(ownComplaints(page), [])
})

test('a lost message of the book shows it as stale until there is a new snapshot', async (t) => {
  const page = await stage.live(t)
  // The new snapshot comes after the answers to unsubscribe and subscribe: there is time to look.
  await stage.exchange.command('delay 700ms')
  t.after(() => stage.exchange.command('delay 0ms'))
  await inflict(page, 'Book gap')
  await page.waitForSelector('#book[data-state=stale]')
  assert.match(await page.textContent('#book .status'), /^stale since \d\d:\d\d:\d\d$/)
  assert.match(await page.textContent('#book .veil'), /^a message is missing after change \d+, .* ago$/)
  const [price, faint] = await page.evaluate(() => {
    const colour = (selector) => getComputedStyle(document.querySelector(selector)).color
    return [colour('#book .asks .price'), colour('.status')]
  })
  assert.equal(price, faint, 'the levels are grey')
  const levels = await page.textContent('#book .bids')
  // Nothing else is touched: trades go on while the levels stand still.
  await changes(page, '#tape tbody')
  assert.equal(await page.textContent('#book .bids'), levels)
  assert.equal(await page.getAttribute('#tape', 'data-state'), 'live')
  await page.waitForSelector('#book[data-state=live]')
  await counts(page, 'Resyncs', 1)
  assert.equal(await counter(page, 'Reconnects'), 0)
  assert.deepEqual(page.complaints, [])
})

test('a stalled connection is asked, given up, and made anew', async (t) => {
  const page = await stage.live(t)
  const book = await record(page, '#book', 'state')
  await inflict(page, 'Stall')
  await reads(page, '#log li', 'asked for a sign of life')
  await counts(page, 'Reconnects', 1)
  await isLive(page)
  assert.deepEqual(await book(), ['live', 'stale', 'live'])
  await changes(page, '#book .mid')
  assert.deepEqual(ownComplaints(page), [])
})

test('a page that goes offline says so, and finds its half-open socket when it comes back', async (t) => {
  const page = await stage.live(t)
  await page.context().setOffline(true)
  await page.waitForSelector('#book[data-state=stale]')
  await page.waitForSelector('#tape[data-state=stale]')
  await page.context().setOffline(false)
  await counts(page, 'Reconnects', 1)
  await isLive(page)
  await changes(page, '#book .mid')
  assert.deepEqual(ownComplaints(page), [])
})

test('while the exchange refuses, the page counts down to each attempt and keeps what it knows', async (t) => {
  const page = await stage.live(t)
  await stage.exchange.command('refuse 503')
  t.after(() => stage.exchange.command('open'))
  await inflict(page, 'Cut')
  await reads(page, '#state-name', /^Retry in \d+\.\d s$/)
  await reads(page, '#state-detail', /Attempt [4-9]/)
  await page.waitForFunction(() => document.title === 'Not live: BTC-PERPETUAL')
  assert.equal(await page.getAttribute('#lamp', 'data-tone').then((tone) => tone !== 'good'), true)
  assert.match(await page.textContent('#book .bids .price'), /^\d\d,\d\d\d\.\d$/, 'the last levels stay, in grey')
  assert.equal(await page.getAttribute('#book', 'data-state'), 'stale')
  assert.equal(await page.isHidden('#outage'), true)
  await stage.exchange.command('open')
  await page.click('#retry')
  await isLive(page)
  assert.deepEqual(ownComplaints(page), [])
})

test('maintenance is survived', async (t) => {
  const page = await stage.live(t)
  await inflict(page, 'Maintenance')
  await reads(page, '#log li', 'Attempt failed')
  await isLive(page)
  assert.deepEqual(ownComplaints(page), [])
})

test('what is not JSON is reported, and the connection stays', async (t) => {
  const page = await stage.live(t)
  await inflict(page, 'Garbage')
  await reads(page, '#log li', 'Not understood')
  await changes(page, '#book .mid')
  assert.equal(await counter(page, 'Reconnects'), 0)
  assert.deepEqual(page.complaints, [])
})
