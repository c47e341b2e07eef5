// npm's ws as a JSON-RPC server: `echo` answers with its parameters, `close` and `terminate` end the connection.
import { WebSocketServer } from 'ws'

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: 8 << 20 }, () => {
  console.log(`${Date.now()}000 listening ${server.address().port}`)
})
server.on('connection', (socket) => {
  socket.on('message', (data) => {
    const { id, method, params } = JSON.parse(data)
    if (method === 'close') return socket.close(1012, 'restarting')
    if (method === 'terminate') return socket.terminate()
    socket.send(JSON.stringify({ jsonrpc: '2.0', id, result: params }))
  })
})
