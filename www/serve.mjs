// Serves what `vite build` made, with the page's content security policy, and prints the URL.
// STEADYSOCKET_EXCHANGE says where the local exchange is, when that is not where the page looks for it.
import { preview } from 'vite'

const LOCAL = 'ws://127.0.0.1:8080/ws/api/v2'
const exchange = process.env.STEADYSOCKET_EXCHANGE ?? LOCAL

const server = await preview({ root: import.meta.dirname, logLevel: 'warn', preview: { host: '127.0.0.1' } })
const hash = exchange === LOCAL ? '' : `#exchange=${exchange}`
console.log(server.resolvedUrls.local[0] + hash)
