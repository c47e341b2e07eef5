// The server, in a process of its own: `fork` it. It tells its port, and then sends what it is asked for. Frames are
// encoded before that, so that sending them costs next to nothing.
import { createServer } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'

import { WebSocketServer } from 'ws'

import { LOADS } from './loads.mjs'

/** The connections, by the path that their contestant connected to. */
const sockets = new Map()
/** The encoded messages of a load, one buffer a burst. */
const encoded = new Map()

const http = createServer()
const websockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
http.on('upgrade', (request, socket, head) => {
  socket.setNoDelay(true)
  websockets.handleUpgrade(request, socket, head, (websocket) => {
    sockets.set(request.url, socket)
    websocket.on('message', (data) => websocket.send(answer(JSON.parse(data))))
  })
})
http.listen(0, '127.0.0.1', () => process.send({ port: http.address().port }))

process.on('message', async ({ path, load }) => {
  const { count, messages, burst, every } = LOADS[load]
  if (!encoded.has(load)) encoded.set(load, bursts(messages(count), burst))
  const socket = sockets.get(path)
  const began = performance.now()
  for (const [turn, frames] of encoded.get(load).entries()) {
    const early = began + turn * every - performance.now()
    if (early > 0) await pause(early)
    socket.write(frames)
  }
})

/** Whoever asks is given what it wants to hear: the confirmation of channels, else that all is well. */
function answer({ id, method, params }) {
  const results = { 'public/subscribe': params?.channels, 'public/hello': { version: '1.2.26' } }
  const result = results[method] ?? 'ok'
  return JSON.stringify({ jsonrpc: '2.0', id, result })
}

function bursts(messages, size) {
  const frames = messages.map((message) => frame(Buffer.from(JSON.stringify(message))))
  return Array.from({ length: Math.ceil(frames.length / size) }, (_, turn) =>
    Buffer.concat(frames.slice(turn * size, (turn + 1) * size)),
  )
}

/** A text frame as a server sends it (RFC 6455 section 5.2). */
function frame(payload) {
  const TEXT = 0x81
  const short = payload.length < 126
  const header = Buffer.alloc(short ? 2 : payload.length < 65_536 ? 4 : 10)
  header[0] = TEXT
  header[1] = short ? payload.length : header.length === 4 ? 126 : 127
  if (header.length === 4) header.writeUInt16BE(payload.length, 2)
  if (header.length === 10) header.writeBigUInt64BE(BigInt(payload.length), 2)
  return Buffer.concat([header, payload])
}
