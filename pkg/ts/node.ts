/** The entry for Node: reads the wasm file. Node 20 has no `WebSocket`: give it a class by the option `WebSocket`. */
import { readFile } from 'node:fs/promises'

import { type Connect, connector } from './connect.js'
import { type ConnectDeribit, deribitConnector } from './deribit/client.js'

export * from './api.js'

const source = () => readFile(new URL('./core_bg.wasm', import.meta.url))

/** Connects to a JSON-RPC 2.0 server and keeps the connection up from then on. */
export const connect: Connect = /* @__PURE__ */ connector(source)

/** Connects to Deribit: channels have types, heartbeats and credits are taken care of. */
export const connectDeribit: ConnectDeribit = /* @__PURE__ */ deribitConnector(source)
