// What every test in a real browser needs: the browser, a local exchange, and a server for pages.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, resolve, sep } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { chromium } from 'playwright-core'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Debian's Chromium: as root it has no sandbox, and it asks the internet for nothing. */
export function launch(options = {}) {
  const args = ['--no-sandbox', '--no-first-run', '--disable-sync', '--disable-quic']
  args.push('--disable-background-networking', '--disable-component-update')
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
  return chromium.launch({ executablePath, ...options, args: [...args, ...(options.args ?? [])] })
}

/** Builds the local exchange and starts one on a free port. `arguments_` are those of its program: see its `--help`.
 *
 * Returns its `url`, `command(line)` for its standard input, which is done once it is carried out, and `stop()`. */
export async function startExchange(...arguments_) {
  const build = ['build', '--locked', '--quiet', '-p', 'steadysocket-exchange', '--bin', 'exchange']
  execFileSync('cargo', build, { cwd: ROOT, stdio: 'inherit' })
  const program = resolve(ROOT, process.env.CARGO_TARGET_DIR ?? 'target', 'debug/exchange')
  const process_ = spawn(program, arguments_, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: process_.stdout })
  const [url] = await Promise.race([
    once(lines, 'line'),
    once(process_, 'exit').then(([code]) => Promise.reject(new Error(`the exchange ended with ${code}`))),
  ])
  const stop = async () => {
    if (process_.exitCode !== null || process_.signalCode !== null) return
    process_.kill()
    await once(process_, 'exit')
  }
  const command = async (line) => {
    process_.stdin.write(`${line}\n`)
    await once(lines, 'line')
  }
  return { url, command, stop }
}

const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.mjs': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
}

/** Serves the files of a folder on a free port. `pages` maps paths to HTML that is no file; `headers` go with everything.
 *
 * Returns its `url` and `stop()`. */
export async function serve(folder, { pages = {}, headers = {} } = {}) {
  const root = resolve(folder)
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost')
    const give = (type, body) => response.writeHead(200, { ...headers, 'content-type': type }).end(body)
    if (pages[pathname] !== undefined) return give(TYPES['.html'], pages[pathname])
    const path = resolve(root, `.${decodeURIComponent(pathname)}`, pathname.endsWith('/') ? 'index.html' : '')
    try {
      if (!path.startsWith(root + sep)) throw new Error('outside')
      give(TYPES[extname(path)] ?? 'application/octet-stream', await readFile(path))
    } catch {
      response.writeHead(404).end()
    }
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const stop = async () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${server.address().port}`, stop }
}

/** What Playwright turns off so that tests run evenly, and what a test of hidden tabs needs: `ignoreDefaultArgs`. */
export const EVENLY = [
  '--disable-back-forward-cache',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
]

/** Opens a tab that is hidden when another one is shown: Playwright keeps its own pages visible and focused for ever.
 *
 * `evaluate(function, argument)` runs in it, `show()` brings it to the front, `go(url)` and `back()` lead it elsewhere and
 * back, `send(method, params)` is DevTools' protocol. */
export async function openTab(browser, url) {
  const devtools = await browser.newBrowserCDPSession()
  const { targetId } = await devtools.send('Target.createTarget', { url: 'about:blank' })
  const { sessionId } = await devtools.send('Target.attachToTarget', { targetId, flatten: false })
  const answers = new Map()
  devtools.on('Target.receivedMessageFromTarget', (event) => {
    if (event.sessionId !== sessionId) return
    const message = JSON.parse(event.message)
    answers.get(message.id ?? message.method)?.(message)
    answers.delete(message.id ?? message.method)
  })
  let last = 0
  const send = async (method, params = {}) => {
    const id = ++last
    const answer = new Promise((resolve) => answers.set(id, resolve))
    await devtools.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method, params }) })
    const { result, error } = await answer
    if (error) throw new Error(`${method}: ${error.message}`)
    return result
  }
  const evaluate = async (run, argument) => {
    const expression = `(${run})(${JSON.stringify(argument)})`
    const { result, exceptionDetails: problem } = await send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    })
    if (problem) throw new Error(problem.exception?.description ?? problem.text)
    return result.value
  }
  const show = () => devtools.send('Target.activateTarget', { targetId })
  const close = () => devtools.send('Target.closeTarget', { targetId })
  const go = async (url) => {
    const loaded = new Promise((resolve) => answers.set('Page.loadEventFired', resolve))
    await send('Page.navigate', { url })
    await loaded
  }
  const back = async () => {
    const { currentIndex, entries } = await send('Page.getNavigationHistory')
    const navigated = new Promise((resolve) => answers.set('Page.frameNavigated', resolve))
    await send('Page.navigateToHistoryEntry', { entryId: entries[currentIndex - 1].id })
    await navigated
  }
  await send('Page.enable')
  await go(url)
  return { send, evaluate, go, back, show, close }
}

/** What a page complains about: its errors, unhandled rejections, and warnings on its console. */
export function complaints(page) {
  const found = []
  page.on('pageerror', (error) => found.push(String(error)))
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) found.push(message.text())
  })
  return found
}
