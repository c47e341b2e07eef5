// The package with a JSON-RPC server of another make: npm's `ws`, and a few methods.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'

import { RpcError, connect } from 'steadysocket'
import WebSocket, { WebSocketServer } from 'ws'

/** A server on a free port that answers by `methods`, and what it was sent. */
async function serve(t, methods, options = {}) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options })
  const received = []
  server.on('connection', (socket) => {
    const send = (message) => socket.send(JSON.stringify({ jsonrpc: '2.0', ...message }))
    const answer = ({ id, method, params }) => {
      const result = methods[method]?.(params, send, socket)
      return { jsonrpc: '2.0', id, ...(result === undefined ? { error: { code: -32601, message: 'no' } } : { result }) }
    }
    socket.on('message', (data, binary) => {
      if (binary) return void received.push(new Uint8Array(data))
      const message = JSON.parse(data)
      received.push(message)
      if (Array.isArray(message)) socket.send(JSON.stringify(message.map(answer)))
      else if (message.id !== undefined && message.method) socket.send(JSON.stringify(answer(message)))
    })
  })
  await once(server, 'listening')
  t.after(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  return { url: `ws://127.0.0.1:${server.address().port}`, received, server }
}

/** A client that goes with the test. */
async function start(t, url, options = {}) {
  const client = await connect(url, { WebSocket, backoff: { base: 5 }, ...options })
  t.after(() => client.close())
  return client
}

test('calls, batches, and errors with data', async (t) => {
  const { url, received } = await serve(t, { add: ([a, b]) => a + b, none: () => null })
  const client = await start(t, url)
  assert.equal(await client.call('add', [1, 2]), 3)
  assert.equal(await client.call('none'), null)
  const outcomes = await client.batch([{ method: 'add', params: [2, 3] }, { method: 'what' }])
  assert.deepEqual(outcomes[0], { status: 'fulfilled', value: 5 })
  assert.ok(outcomes[1].reason instanceof RpcError)
  assert.equal(outcomes[1].reason.code, -32601)
  assert.ok(Array.isArray(received.at(-1)))
})

test('subscriptions that the server names, and string ids', async (t) => {
  const { url, received } = await serve(t, {
    eth_subscribe: ([name], send) => {
      setTimeout(() => send({ method: 'eth_subscription', params: { subscription: '0xc', result: { name } } }))
      return '0xc'
    },
    eth_unsubscribe: () => true,
  })
  const client = await start(t, url, { subscriptions: { style: 'id' }, stringIds: 'me-' })
  for await (const head of await client.subscribe('newHeads')) {
    assert.deepEqual(head, { name: 'newHeads' })
    break
  }
  assert.match(received[0].id, /^me-/)
  assert.deepEqual(received[0].params, ['newHeads'])
})

test('subscriptions by channel, with methods of their own', async (t) => {
  const { url } = await serve(t, {
    'public/subscribe': ({ channels }, send) => {
      setTimeout(() => send({ method: 'news', params: { channel: channels[0], data: [1] } }))
      return channels
    },
    'public/unsubscribe': ({ channels }) => channels,
  })
  const subscriptions = { subscribe: 'public/subscribe', unsubscribe: 'public/unsubscribe', notification: 'news' }
  const client = await start(t, url, { subscriptions })
  const stream = await client.subscribe('a')
  assert.equal(stream.channel, 'a')
  for await (const data of stream) {
    assert.deepEqual(data, [1])
    break
  }
})

test("a server's own requests are answered", async (t) => {
  const { url, server } = await serve(t, {})
  const client = await start(t, url)
  const messages = client.messages()
  const [socket] = server.clients
  const ask = async (id, method) => {
    socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params: { deep: true } }))
    return JSON.parse((await once(socket, 'message'))[0])
  }
  const answers = [ask('q-1', 'confirm'), ask(2, 'explode')]
  for await (const message of messages) {
    assert.equal(message.kind, 'request')
    assert.deepEqual(message.params, { deep: true })
    if (message.method === 'confirm') await client.respond(message.id, { result: { ok: true } })
    else {
      await client.respond(message.id, { error: { code: 7, message: 'will not', data: [1] } })
      break
    }
  }
  // Both wait for the first message, which answers the first question.
  assert.deepEqual((await answers[0]).result, { ok: true })
  await assert.rejects(client.respond('{', { result: 1 }), { outcome: 'not-sent', advice: 'change' })
})

test('strict readers take nothing that the specification forbids', async (t) => {
  const bend = { bend: (_, send, socket) => socket.send('{"id":1,"result":1}') }
  const { url } = await serve(t, bend)
  for (const strict of [false, true]) {
    const client = await start(t, url, { strict })
    const invalid = once(client, 'invalid')
    const call = client.call('bend', [], { timeout: 500 })
    if (strict) await invalid
    else assert.equal(await call, 1)
    await call.catch(() => {})
  }
})

test('a silent server is asked, and found out', async (t) => {
  const { url, server } = await serve(t, { ping: () => 'pong' })
  // A slow machine may have given up a connection already: none that comes later is answered either.
  const mute = (socket) => socket.removeAllListeners('message')
  const silence = () => {
    server.on('connection', mute)
    server.clients.forEach(mute)
  }
  const client = await start(t, url, { heartbeat: { idle: 50, timeout: 50 }, probe: { method: 'ping' } })
  await once(client, 'asked')
  const since = client.stats.heard
  assert.ok(since <= performance.now() && performance.now() - since < 10_000)
  silence()
  const { detail } = (await once(client, 'disconnected'))[0]
  assert.match(detail.message, /nothing was received/)
  assert.equal(detail.category, 'connection')
})

test('subprotocols are offered, close codes are kept, binary messages arrive', async (t) => {
  const { url, received, server } = await serve(t, {}, { handleProtocols: (offered) => [...offered].at(-1) })
  const client = await start(t, url, { subprotocols: ['one', 'two'] })
  const [socket] = server.clients
  assert.equal(socket.protocol, 'two')
  const messages = client.messages()
  const binary = once(socket, 'message')
  await client.send(new Uint8Array([1, 2]))
  await binary
  socket.send(JSON.stringify({ jsonrpc: '2.0', method: 'hello' }))
  for await (const message of messages) {
    assert.deepEqual(message, { kind: 'notification', method: 'hello', params: undefined })
    break
  }
  assert.deepEqual(received, [new Uint8Array([1, 2])])
  const closed = once(socket, 'close')
  await client.close({ code: 4321, reason: 'enough' })
  const [code, reason] = await closed
  assert.deepEqual([code, String(reason)], [4321, 'enough'])
  await assert.rejects(client.close({ code: 1001 }), { field: 'code' })
})

test('whatever waits can be given up', async (t) => {
  const { url, server } = await serve(t, {})
  const client = await start(t, url, { backoff: { base: 60_000, cap: 60_000 } })
  server.close()
  for (const socket of server.clients) socket.terminate()
  await once(client, 'disconnected')
  const signal = AbortSignal.timeout(20)
  const waits = [
    client.call('a', [], { signal }),
    client.notify('a', [], { signal }),
    client.send('a', { signal }),
    client.batch([{ method: 'a' }], { signal }),
    client.respond('1', { result: 1 }, { signal }),
    client.subscribe('a', { signal }),
    client.ready({ signal }),
  ]
  for (const { reason } of await Promise.allSettled(waits)) assert.equal(reason?.name, 'TimeoutError')
})

test('a client can go while it connects', async (t) => {
  // TCP, and then nothing.
  const sockets = new Set()
  const server = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const leave = new AbortController()
  const url = `ws://127.0.0.1:${server.address().port}`
  const connecting = connect(url, { WebSocket, signal: leave.signal })
  await once(server, 'connection')
  leave.abort(new Error('enough'))
  await assert.rejects(connecting, /enough/)
  // `ws` ends such an attempt with an error, which must find somebody to tell it to.
  const [socket] = sockets
  if (!socket.closed) await once(socket, 'close')
})
