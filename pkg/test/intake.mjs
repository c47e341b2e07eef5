// Feeds messages to the package through a socket of its own, and prints what they cost: `node --expose-gc
// --min-semi-space-size=64 --max-semi-space-size=64 intake.mjs`, so that garbage stays until it is counted.
import { connect } from 'steadysocket'

const MESSAGES = 20_000
const PADDING = 'x'.repeat(600)

/** A socket to nowhere that confirms every subscription. */
class Socket {
  static last
  readyState = 0
  bufferedAmount = 0
  constructor() {
    Socket.last = this
    queueMicrotask(() => {
      this.readyState = 1
      this.onopen({})
    })
  }
  send(text) {
    const { id, params } = JSON.parse(text)
    queueMicrotask(() => this.onmessage({ data: JSON.stringify({ jsonrpc: '2.0', id, result: params.channels }) }))
  }
  close() {
    this.readyState = 3
    this.onclose({ code: 1000, reason: '' })
  }
}

/** How often something is called. */
const counts = {}
function count(owner, name) {
  const original = owner[name]
  counts[name] = 0
  owner[name] = function (...given) {
    counts[name]++
    return original.apply(this, given)
  }
}

// A stream keeps the one that there is when it begins.
count(JSON, 'parse')
const client = await connect('ws://127.0.0.1:1', { WebSocket: Socket, heartbeat: false })
const stream = await client.subscribe('a', { overflow: 'latest' })
const params = { channel: 'a', data: { padding: PADDING } }
const event = { data: JSON.stringify({ jsonrpc: '2.0', method: 'subscription', params }) }

/** Bytes of garbage for each message, when whoever is woken has run. */
async function garbage(deliver) {
  gc()
  const before = process.memoryUsage().heapUsed
  for (let n = 0; n < MESSAGES; n++) {
    deliver()
    await null
    await null
  }
  return (process.memoryUsage().heapUsed - before) / MESSAGES
}

const nothing = { onmessage() {} }
const deliver = () => Socket.last.onmessage(event)
await garbage(deliver)
const unread = (await garbage(deliver)) - (await garbage(() => nothing.onmessage(event)))

count(TextEncoder.prototype, 'encodeInto')
count(TextDecoder.prototype, 'decode')
count(String.prototype, 'charCodeAt')
count(globalThis, 'setTimeout')
counts.parse = 0
for (let n = 0; n < 100; n++) {
  deliver()
  await null
  await null
}
const whileUnread = { ...counts }
for await (const { padding } of stream) {
  if (padding !== PADDING) throw new Error('not what was sent')
  console.log(JSON.stringify({ unread, whileUnread, afterwards: counts, dropped: stream.dropped }))
  break
}
await client.close()
