// A signal that aborts at any moment: nothing is left behind, whatever was under way.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { connect, connectDeribit } from 'steadysocket'
import WebSocket from 'ws'

import { startExchange } from '../../tests/browser-kit/index.mjs'

let exchange
before(async () => {
  exchange = await startExchange('--no-credits')
})
after(() => exchange?.stop())

const TICKER = 'ticker.BTC-PERPETUAL.100ms'
/** More microtasks than lie between an event of the socket and what it settles. */
const MOST = 40

/** A class of `WebSocket`, with what is to be done this many microtasks after an event that matters. */
function hooked(matters) {
  const hook = { after: 0, run: undefined }
  const fire = async (event) => {
    const { run } = hook
    if (run === undefined || !matters(event)) return
    hook.run = undefined
    for (let task = 0; task < hook.after; task++) await undefined
    run()
  }
  class Hooked extends WebSocket {
    constructor(...given) {
      super(...given)
      this.addEventListener('open', fire)
      this.addEventListener('message', fire)
    }
  }
  return { Hooked, hook }
}

/** Waits until it is so, for as long as something may still be under way. */
async function until(what) {
  for (let turn = 0; turn < 500 && !what(); turn++) await new Promise((resolve) => setTimeout(resolve, 2))
  assert.ok(what(), String(what))
}

for (const [name, open] of [
  ['subscription', (client, signal) => client.subscribe(TICKER, { signal })],
  ['book', (client, signal) => client.book('BTC-PERPETUAL', { signal })],
]) {
  test(`a ${name} that is given up while it is being confirmed is left`, async () => {
    const { Hooked, hook } = hooked(({ data }) => data?.includes('"result":["'))
    const client = await connectDeribit({ environment: 'testnet', url: exchange.url, WebSocket: Hooked })
    for (let tasks = 0; tasks < MOST; tasks++) {
      const control = new AbortController()
      Object.assign(hook, { after: tasks, run: () => control.abort() })
      await open(client, control.signal).then(
        (stream) => until(() => control.signal.aborted),
        (error) => assert.equal(error.name, 'AbortError'),
      )
      await until(() => client.stats.desired === 0 && client.stats.confirmed === 0)
    }
    await client.close()
  })
}

test('a client that is given up while it connects is closed', async () => {
  const { Hooked, hook } = hooked(({ type }) => type === 'open')
  for (let tasks = 0; tasks < MOST; tasks++) {
    const control = new AbortController()
    Object.assign(hook, { after: tasks, run: () => control.abort() })
    const client = await connect(exchange.url, { WebSocket: Hooked, signal: control.signal }).catch((error) => {
      assert.equal(error.name, 'AbortError')
    })
    if (client === undefined) continue
    await until(() => client.state.name === 'ended')
  }
})

test('what was given up before it left never leaves', async () => {
  const client = await connectDeribit({ environment: 'testnet', url: exchange.url, WebSocket })
  const { sent } = client.stats
  const control = new AbortController()
  const given = [
    client.call('public/test', {}, { signal: control.signal }),
    client.notify('public/test', {}, { signal: control.signal }),
    client.send('{}', { signal: control.signal }),
  ]
  control.abort()
  for (const one of given) await assert.rejects(one, { name: 'AbortError' })
  await client.call('public/test')
  assert.equal(client.stats.sent - sent, 1)
  await client.close()
})

test('the reason is whatever the signal has', async () => {
  const client = await connectDeribit({ environment: 'testnet', url: exchange.url, WebSocket })
  for (const reason of [{ code: 5 }, { field: 'x' }, 'gone', null]) {
    const control = new AbortController()
    const call = client.call('public/test', {}, { signal: control.signal })
    control.abort(reason)
    await assert.rejects(call, (thrown) => thrown === reason)
  }
  await client.close()
})
