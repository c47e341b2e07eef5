// Orders in Node: what each call says became of its order is held against the exchange's own ledger.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { connectDeribit } from 'steadysocket'
import WebSocket from 'ws'

import { startExchange } from '../../tests/browser-kit/index.mjs'

let exchange, other
const connect = (options = {}) =>
  connectDeribit({
    environment: 'testnet',
    url: exchange.url,
    WebSocket,
    backoff: { base: 5 },
    credentials: { id: 'local', secret: 'local-secret' },
    ...options,
  })

before(async () => {
  exchange = await startExchange('--no-credits')
  // It is not met by faults that strike the newest connection, or the next request to the matching engine.
  other = await connect()
})
after(() => exchange?.stop())

const fault = (command) => other.call('local/fault', { command })
const ledger = async (label) => {
  const { orders } = await other.call('local/ledger')
  return orders.filter((order) => order.label === label)
}

/** Below the market, so that it waits. */
const resting = (more = {}) => ({ instrument_name: 'BTC-PERPETUAL', amount: 10, price: 40_000, post_only: true, ...more })
const trailing = (trigger_offset) =>
  resting({ type: 'trailing_stop', price: undefined, post_only: undefined, trigger: 'mark_price', trigger_offset })
const passive = async () => {
  const { best_bid_price: bid } = await other.call('public/ticker', { instrument_name: 'BTC-PERPETUAL' })
  return resting({ price: Math.round(bid * 0.99) })
}

test('an order is accepted, edited, and cancelled', async () => {
  const client = await connect()
  const placed = await client.buy({ ...(await passive()), label: 'first' })
  assert.equal(placed.outcome, 'accepted', placed.error?.message)
  const { order } = placed.answer
  assert.match(order.label, /^first\.[0-9a-z]{14,}$/)
  assert.equal((await ledger(order.label)).length, 1)
  const edited = await client.edit(order, { amount: 20, price: order.price - 10 })
  assert.deepEqual([edited.answer.order.amount, edited.answer.order.price], [20, order.price - 10])
  const target = { instrument_name: order.instrument_name, label: order.label }
  assert.equal((await client.edit(target, { amount: 30 })).answer.order.amount, 30)
  const cancelled = await client.cancel(order.order_id)
  assert.equal(cancelled.answer.order_state, 'cancelled')
  assert.equal((await client.cancel(order.order_id)).outcome, 'rejected')
  await client.close()
})

test('what the exchange refuses is rejected, and what does not leave is not sent', async () => {
  const client = await connect()
  const rejected = await client.sell({ ...(await passive()), reject_post_only: true })
  assert.equal(rejected.outcome, 'rejected')
  assert.equal(rejected.error.code, 11054)
  const unknown = await client.buy(resting({ instrument_name: 'NO-SUCH' }))
  assert.deepEqual([unknown.outcome, unknown.error.outcome], ['rejected', 'rejected'])
  await client.close()
  const late = await client.buy(resting())
  assert.deepEqual([late.outcome, late.error.outcome], ['not-sent', 'not-sent'])
  const never = await client.cancel('1')
  assert.equal(never.outcome, 'not-sent')
})

for (const [strike, there] of [
  ['cut-after-match reset', true],
  ['cut-before-match', false],
  ['lose-match-reply', true],
  ['fail-after-match 11094', true],
  ['cut-then-match 300ms', true],
]) {
  test(`an order struck by ${strike} is ${there ? 'found' : 'known never to come'}`, async () => {
    const client = await connect()
    const order = await passive()
    await client.buy(order)
    await fault(strike)
    const placed = await client.buy(order, { timeout: 700 })
    assert.equal(placed.outcome, 'unknown', placed.error?.message)
    const { label } = placed.pending
    const resolution = await placed.pending.resolve()
    const truth = await ledger(label)
    assert.equal(resolution.found, there)
    assert.equal(truth.length, there ? 1 : 0)
    if (there) {
      assert.equal(resolution.order.order_id, truth[0].order_id)
      assert.equal((await client.cancel(resolution.order.order_id)).outcome, 'accepted')
    }
    await client.close()
  })
}

test('an edit and a cancellation whose answers are lost', async () => {
  const client = await connect()
  const { order } = (await client.buy(await passive())).answer
  await fault('cut-after-match')
  const edited = await client.edit(order, { amount: 20 }, { timeout: 500 })
  assert.equal(edited.outcome, 'unknown')
  assert.equal((await edited.pending.resolve()).amount, 20)
  for (const strike of ['cut-after-match', 'cut-before-match']) {
    const { order } = (await client.buy(await passive())).answer
    await fault(strike)
    const cancelled = await client.cancel(order.order_id)
    assert.equal(cancelled.outcome, 'unknown')
    assert.equal((await cancelled.pending.resolve()).order_state, 'cancelled')
  }
  await client.close()
})

test('a search can be given up, and gone on with by another client', async () => {
  const client = await connect()
  const order = await passive()
  await client.buy(order)
  await fault('cut-after-match')
  const { pending } = await client.buy(order)
  await client.close()
  await assert.rejects(pending.resolve(), { advice: 'stop' })
  await assert.rejects(pending.resolve({ by: other, signal: AbortSignal.abort() }), { name: 'AbortError' })
  assert.equal((await pending.resolve({ by: other })).found, true)
})

test('an order that cannot be placed is told by its field, and never sent', async () => {
  const client = await connect()
  const sent = client.stats.sent
  for (const [order, field, options] of [
    [resting({ label: 'x'.repeat(41) }), 'label'],
    [resting({ label: 'x'.repeat(65) }), 'label', { exactLabel: true }],
    [resting({ label: '' }), 'label'],
    [resting(), 'label', { exactLabel: true }],
    [resting({ time_in_force: 'immediate_or_cancel' }), 'post_only'],
    [resting({ price: 40_000.3 }), 'price'],
    [resting({ price: undefined }), 'price'],
    [resting({ price: NaN }), 'price'],
    [resting({ type: 'market', post_only: undefined }), 'price'],
    [resting({ type: 'market', price: undefined }), 'post_only'],
    [resting({ amount: 5 }), 'amount'],
    [resting({ amount: 0 }), 'amount'],
    [resting({ amount: undefined, contracts: 0.5 }), 'contracts'],
    [resting({ amount: undefined }), 'amount'],
    [resting({ amount: '10' }), 'amount'],
    [resting({ type: 'stop_limit', post_only: undefined, trigger: 'mark_price' }), 'trigger_price'],
    [resting({ type: 'stop_limit', trigger: 'mark_price', trigger_price: 40_000.1 }), 'trigger_price'],
    [resting({ display_amount: 10 }), 'display_amount'],
    [resting({ label: 'half \ud83d' }), 'label'],
    [resting({ valid_until: NaN }), 'valid_until'],
    [resting({ valid_until: Infinity }), 'valid_until'],
    [resting({ valid_until: new Date(NaN) }), 'valid_until'],
    [resting({ price: 1e308 }), 'price'],
    [trailing(undefined), 'trigger_offset'],
    [trailing(Infinity), 'trigger_offset'],
  ]) {
    await assert.rejects(client.buy(order, options), (error) => {
      assert.equal(error.field, field, error.message)
      assert.equal(error.outcome, 'not-sent')
      return true
    })
  }
  await assert.rejects(client.edit({ ...resting(), label: 'x' }, { amount: 10, valid_until: NaN }), { field: 'valid_until' })
  // The instrument, once.
  assert.equal(client.stats.sent - sent, 1)
  await client.close()
})

test('numbers leave without what arithmetic leaves behind', async () => {
  const client = await connect()
  const { price, ...order } = await passive()
  const placed = await client.buy({ ...order, price: price - 3 * 0.1 - 0.2 })
  assert.equal(placed.answer.order.price, price - 0.5)
  await client.cancel(placed.answer.order.order_id)
  await client.close()
})

test('an order is what it was when it was given, whatever becomes of the object while it is prepared', async () => {
  const client = await connect()
  const order = { ...(await passive()), label: 'kept' }
  const { price } = order
  const placed = client.buy(order)
  Object.assign(order, { price: price - 100, amount: 20, label: 'changed', instrument_name: 'ETH-PERPETUAL' })
  const { order: live } = (await placed).answer
  assert.deepEqual([live.price, live.amount, live.instrument_name], [price, 10, 'BTC-PERPETUAL'])
  // Nor does a pending edit look at another order.
  await fault('cut-after-match')
  const [target, changes] = [{ ...live }, { amount: 20, price }]
  const edit = client.edit(target, changes, { timeout: 500 })
  Object.assign(target, { order_id: 'another', instrument_name: 'another' })
  changes.amount = 30
  const { pending } = await edit
  assert.equal(pending.target.order_id, live.order_id)
  assert.equal((await client.call('private/get_order_state', { order_id: live.order_id })).amount, 20)
  await client.cancel(live.order_id)
  await client.close()
})

test('without a limit of time an order has one that the exchange can read', async () => {
  const client = await connect()
  const { answer } = await client.buy(await passive(), { timeout: Infinity })
  assert.ok(answer?.order.order_id)
  await client.cancel(answer.order.order_id)
  await fault('cut-before-match')
  const { pending } = await client.buy({ ...(await passive()), valid_until: client.serverTime.time + 300 }, { timeout: 1e300 })
  assert.ok(Number.isSafeInteger(pending.validUntil))
  await client.close()
})
