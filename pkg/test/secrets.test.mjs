// What is secret is in nothing that can be printed: not on the console, in errors, or in what is inspected.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { inspect } from 'node:util'

import { connect, connectDeribit } from 'steadysocket'
import WebSocket, { WebSocketServer } from 'ws'

const CANARY = 'hunter2-canary'
const TOKENS = { access_token: 'access-canary', refresh_token: 'refresh-canary' }

let server, url, refuse
const printed = []
const console_ = { ...console }

before(async () => {
  for (const level of ['debug', 'log', 'info', 'warn', 'error', 'trace']) {
    console[level] = (...words) => printed.push(...words.map((word) => inspect(word)))
  }
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(answer(JSON.parse(data)))))
  await once(server, 'listening')
  url = `ws://127.0.0.1:${server.address().port}/?token=${CANARY}-query`
})

after(() => {
  Object.assign(console, console_)
  for (const socket of server.clients) socket.terminate()
  server.close()
})

function answer({ id, method, params }) {
  const repeated = { code: 13004, message: `no such thing: ${params?.client_secret}`, data: { url, ...params } }
  const grant = { ...TOKENS, expires_in: 900, scope: 'connection', token_type: 'bearer' }
  const results = { 'public/auth': grant, 'public/subscribe': params?.channels }
  const outcome = method === refuse ? { error: repeated } : { result: results[method] ?? 'ok' }
  return JSON.stringify({ jsonrpc: '2.0', id, ...outcome })
}

/** Everything that a program may print of a value. */
function print(value) {
  const json = (value) => {
    try {
      return JSON.stringify(value)
    } catch {
      return ''
    }
  }
  printed.push(String(value), json(value) ?? '', inspect(value), inspect(value, { depth: 8, showHidden: true }))
  if (value instanceof Error) printed.push(value.stack ?? '', value.message)
}

/** What the call fails with. */
async function failure(call) {
  const error = await call.then(
    () => assert.fail('it should have failed'),
    (error) => error,
  )
  print(error)
  return error
}

const check = () => printed.forEach((text) => assert.ok(!text.includes('canary'), text))
const options = () => ({ WebSocket, environment: 'other', url, credentials: { id: 'me', secret: CANARY } })

test('a login that is refused, with what was sent', async () => {
  refuse = 'public/auth'
  const error = await failure(connectDeribit(options()))
  assert.match(error.message, /no such thing: \*\*\*/)
  check()
})

test('a client that is logged in, its streams, and its errors', async () => {
  refuse = 'private/buy'
  const client = await connectDeribit({ ...options(), attachToken: true })
  const stream = await client.subscribe('ticker.BTC-PERPETUAL.100ms')
  for (const value of [client, stream, client.state, client.stats]) print(value)
  const error = await failure(client.call('private/buy', { instrument_name: 'x' }))
  assert.equal(error.data.access_token, '***')
  refuse = undefined
  await failure(client.call('private/get_positions', { text: CANARY }, { timeout: -1 }))
  await client.close()
  print(await client.ended)
  print(client)
  check()
})

test('addresses and options that cannot be used', async () => {
  for (const wrong of [
    { url: `wss://me:${CANARY}@127.0.0.1/` },
    { url: `http://127.0.0.1/?token=${CANARY}` },
    { url: `ws://127.0.0.1:99999/?token=${CANARY}` },
    { url: () => Promise.resolve(`ws://127.0.0.1/#${CANARY}`) },
    { url: 'ws://127.0.0.1:1/?token=' + CANARY },
  ]) {
    await failure(connect(wrong.url, { WebSocket }))
  }
  await failure(connectDeribit({ ...options(), credentials: { id: 7, secret: CANARY } }))
  await failure(connectDeribit({ ...options(), credentials: { id: 'me', secret: CANARY, more: CANARY } }))
  check()
})
