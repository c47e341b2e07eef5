// Classes with the interface of `WebSocket` that are not the browser's own.
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { connect } from 'steadysocket'

/** A socket that answers while it is still being written to, as no browser's does. */
class Hasty {
  readyState = 0
  bufferedAmount = 0
  constructor() {
    queueMicrotask(() => {
      this.readyState = 1
      this.onopen({})
    })
  }
  send(text) {
    const { id, method, params } = JSON.parse(text)
    const data = { jsonrpc: '2.0', method: 'subscription', params: { channel: 'a', data: id } }
    if (method === 'tick') this.onmessage({ data: JSON.stringify(data) })
    if (method === 'close') return this.end()
    this.onmessage({ data: JSON.stringify({ jsonrpc: '2.0', id, result: params?.channels ?? params ?? null }) })
  }
  close() {
    if (this.readyState !== 3) this.end()
  }
  end() {
    this.readyState = 3
    this.onclose?.({ code: 1001, reason: 'enough' })
  }
}

test('a socket may answer, and close, while it is written to', async () => {
  const client = await connect('ws://127.0.0.1:1', { WebSocket: Hasty, heartbeat: false, backoff: { base: 1 } })
  const stream = await client.subscribe('a')
  const values = stream[Symbol.asyncIterator]()
  const value = values.next()
  assert.deepEqual(await client.call('echo', [1]), [1])
  await client.call('tick')
  assert.equal(typeof (await value).value, 'number')
  await assert.rejects(client.call('close'), { outcome: 'unknown' })
  await client.ready()
  assert.equal(client.stats.connections, 2)
  await client.close()
  assert.deepEqual(await values.next(), { done: true, value: undefined })
})

test('what an event throws is no text, and ends the connection', async () => {
  const sockets = []
  class Hostile extends Hasty {
    constructor() {
      super()
      sockets.push(this)
    }
  }
  const client = await connect('ws://127.0.0.1:1', { WebSocket: Hostile, heartbeat: false, backoff: { base: 1 } })
  const ended = new Promise((resolve) => client.addEventListener('disconnected', resolve, { once: true }))
  sockets[0].onmessage({
    get data() {
      throw new Error('no data')
    },
  })
  assert.match((await ended).detail.message, /neither a string nor an ArrayBuffer/)
  await client.close()
})
