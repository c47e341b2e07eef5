import { connectDeribit } from '../node_modules/steadysocket/dist/index.js'
import { live } from './live.js'

/** As a page, and with a stream that is held to frames, which not every worker has. */
async function work() {
  const outcome = await live(connectDeribit)
  const url = new URLSearchParams(location.search).get('exchange')
  const client = await connectDeribit({ environment: 'testnet', url })
  let quotes = 0
  for await (const _ of await client.subscribe('quote.BTC-PERPETUAL', { coalesce: 'frame' })) if (++quotes === 3) break
  await client.close()
  return { ...outcome, quotes }
}

const tell = async (port) => port.postMessage(await work().catch(String))
if ('onconnect' in globalThis) globalThis.onconnect = ({ ports }) => tell(ports[0])
else tell(globalThis)
