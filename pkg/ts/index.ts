/** A WebSocket client that stays up, for pages and workers. */
import { type Connect, connector } from './connect.js'
import { type ConnectDeribit, deribitConnector } from './deribit/client.js'

export * from './api.js'

/** Without a source the glue fetches the wasm file that lies beside it, in a way that bundlers know. */
const source = () => undefined

/** Connects to a JSON-RPC 2.0 server and keeps the connection up from then on. */
export const connect: Connect = /* @__PURE__ */ connector(source)

/** Connects to Deribit: channels have types, heartbeats and credits are taken care of. */
export const connectDeribit: ConnectDeribit = /* @__PURE__ */ deribitConnector(source)
