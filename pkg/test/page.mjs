// The package in a plain page of a real browser, each entry: `node --test test/page.mjs`.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const exchange = process.env.STEADYSOCKET_EXCHANGE
const TYPES = { js: 'text/javascript', wasm: 'application/wasm' }

const page = (entry) => `<!doctype html><title>steadysocket</title><script type="module">
  const say = (said) => fetch('/said', { method: 'POST', body: JSON.stringify(said) })
  addEventListener('unhandledrejection', ({ reason }) => say({ problem: String(reason) }))
  const { connectDeribit } = await import('/dist/${entry}.js')
  const client = await connectDeribit({ environment: 'testnet', url: '${exchange}', backoff: { base: 5 } })
  let ticks = 0
  for await (const tick of await client.subscribe('ticker.BTC-PERPETUAL.100ms')) {
    if (++ticks === 2) await client.call('local/fault', { command: 'drop @newest' })
    if (ticks > 2 && client.stats.connections === 2) break
  }
  await client.close()
  await say({ ticks, state: client.state.name })
</script>`

async function serve(entry, said) {
  const server = createServer(async (request, response) => {
    if (request.url === '/said') {
      said(JSON.parse((await request.toArray()).join('')))
      return response.end()
    }
    if (request.url === '/') return response.setHeader('content-type', 'text/html').end(page(entry))
    try {
      const body = await readFile(new URL(`..${request.url}`, import.meta.url))
      response.setHeader('content-type', TYPES[request.url.split('.').pop()] ?? 'text/plain').end(body)
    } catch {
      response.writeHead(404).end()
    }
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return server
}

for (const entry of ['index', 'inline']) {
  test(`a page that imports ${entry}`, { timeout: 60_000 }, async () => {
    const { promise, resolve } = withResolvers()
    const server = await serve(entry, resolve)
    const profile = await mkdtemp(join(tmpdir(), 'steadysocket-'))
    const quiet = ['--headless', '--no-sandbox', '--no-first-run', '--disable-sync', '--disable-quic']
    quiet.push('--disable-background-networking', '--disable-component-update', `--user-data-dir=${profile}`)
    const browser = spawn('chromium', [...quiet, `http://127.0.0.1:${server.address().port}/`], { stdio: 'ignore' })
    try {
      const { ticks, state, problem } = await promise
      assert.equal(problem, undefined)
      assert.equal(state, 'ended')
      assert.ok(ticks > 2)
    } finally {
      browser.kill()
      await once(browser, 'exit')
      server.closeAllConnections()
      server.close()
      await rm(profile, { recursive: true, force: true, maxRetries: 5 })
    }
  })
}

function withResolvers() {
  let resolve
  const promise = new Promise((settle) => (resolve = settle))
  return { promise, resolve }
}
