/** The entry that holds the wasm itself, for bundlers that cannot place assets. A third larger. */
import { type Connect, connector } from './connect.js'
import { base64 } from './core_base64.js'
import { type ConnectDeribit, deribitConnector } from './deribit/client.js'

export * from './api.js'

const source = () => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))

/** Connects to a JSON-RPC 2.0 server and keeps the connection up from then on. */
export const connect: Connect = /* @__PURE__ */ connector(source)

/** Connects to Deribit: channels have types, heartbeats and credits are taken care of. */
export const connectDeribit: ConnectDeribit = /* @__PURE__ */ deribitConnector(source)
