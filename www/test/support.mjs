// What the dashboard's tests share: a browser, a local exchange, the built page as `make dashboard` serves it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, before } from 'node:test'
import { fileURLToPath } from 'node:url'

import { complaints, launch, startExchange } from '../../tests/browser-kit/index.mjs'

/** Longer than anything here takes on a busy machine; nothing waits for a time to pass. */
export const PATIENCE = 45_000

/** Starts a browser, an exchange of these arguments, and the page's server. */
export async function stage(...exchangeArguments) {
  const exchange = await startExchange(...exchangeArguments)
  const site = await serve(exchange.url)
  const browser = await launch()
  const stop = async () => {
    await browser.close()
    await site.stop()
    await exchange.stop()
  }
  return { browser, exchange, site, stop }
}

/** A stage for the tests of a file. */
export function desk(...exchangeArguments) {
  const desk = {}
  before(async () => Object.assign(desk, await stage(...exchangeArguments)))
  after(() => desk.stop?.())
  /** Opens the page in a context of its own, for the time of a test. `prepare` is done before. */
  desk.open = async (t, { hash, prepare, ...options } = {}) => {
    const context = await desk.browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
    t.after(() => context.close())
    const page = await context.newPage()
    page.setDefaultTimeout(PATIENCE)
    page.complaints = complaints(page)
    await prepare?.(page)
    await page.goto(hash === undefined ? desk.site.url : desk.site.url.replace(/#.*/, hash))
    return page
  }
  /** Opens the page and waits until it is live. */
  desk.live = async (t, options) => {
    const page = await desk.open(t, options)
    await isLive(page)
    return page
  }
  return desk
}

/** Runs the server of `make dashboard`. */
async function serve(exchange) {
  const program = fileURLToPath(new URL('../serve.mjs', import.meta.url))
  const env = { ...process.env, STEADYSOCKET_EXCHANGE: exchange }
  const server = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const [url] = await once(createInterface({ input: server.stdout }), 'line')
  const stop = async () => {
    server.kill()
    await once(server, 'exit')
  }
  return { url, stop }
}

/** Waits until everything that moves is live. */
export async function isLive(page) {
  for (const panel of ['book', 'chart', 'tape']) await page.waitForSelector(`#${panel}[data-state=live]`)
  await page.waitForSelector('#lamp[data-tone=good]')
}

/** Presses a button of the panel that breaks things. */
export async function inflict(page, label) {
  await page.click(`#faults button[data-item="${label}"]`)
}

/** Waits until an element's text matches, and gives it. */
export async function reads(page, selector, pattern) {
  const element = page.locator(selector)
  await element.filter({ hasText: pattern }).first().waitFor({ state: 'attached' })
  return element.first().textContent()
}

/** Waits until an element's text is another than now. */
export async function changes(page, selector) {
  const before = await page.textContent(selector)
  await page.waitForFunction(([s, text]) => document.querySelector(s).textContent !== text, [selector, before])
}

/** Notes each value that a `data-` attribute takes from now on; call the result for the values. */
export async function record(page, selector, name) {
  const key = `record ${selector} ${name}`
  await page.evaluate(
    ([key, selector, name]) => {
      const element = document.querySelector(selector)
      const seen = (window[key] = [element.dataset[name]])
      const note = () => seen.at(-1) !== element.dataset[name] && seen.push(element.dataset[name])
      new MutationObserver(note).observe(element, { attributeFilter: [`data-${name}`] })
    },
    [key, selector, name],
  )
  return () => page.evaluate((key) => window[key], key)
}

/** A counter of the connection panel. */
export async function counter(page, name) {
  return Number(await page.locator('#counters div', { hasText: name }).locator('dd').textContent())
}

/** Waits until a counter is at least this. */
export async function counts(page, name, least) {
  await page.waitForFunction(
    ([name, least]) =>
      [...document.querySelectorAll('#counters div')].some(
        (item) => item.firstChild.textContent === name && Number(item.lastChild.textContent) >= least,
      ),
    [name, least],
  )
}

/** The entries of the event log, the newest first. */
export function events(page) {
  return page.locator('#log li span').allTextContents()
}

/** What a page complained about, without what the browser itself says of connections that fail, which no page can help. */
export function ownComplaints(page) {
  return page.complaints.filter((text) => !text.startsWith('WebSocket connection to'))
}
