// Takes pictures of the page into shots/, calm and under faults: `make dashboard-shots`.
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

import { inflict, isLive, stage } from './support.mjs'

const FOLDER = fileURLToPath(new URL('../shots/', import.meta.url))
const SIZES = { phone: [390, 844], tablet: [834, 1112], desk: [1280, 800], wide: [1920, 1080] }
/** Until lines and bars have something to show. */
const MESSAGES = 2_000

/** What is done to a live page before its picture is taken, each as if it were alone. */
const SCENES = {
  calm: async () => {},
  gap: async (page, exchange) => {
    await exchange.command('delay 5s')
    await inflict(page, 'Book gap')
    await page.waitForSelector('#book[data-state=stale]')
    await page.waitForTimeout(1_500)
  },
  refused: async (page) => {
    await inflict(page, 'Refuse 10 s')
    await page.locator('#state-detail', { hasText: /Attempt [5-9]/ }).waitFor()
  },
  help: (page) => page.keyboard.press('?'),
  instruments: async (page) => {
    await page.keyboard.press('/')
    await page.keyboard.type('eth')
  },
  outage: async (page) => {
    await page.keyboard.press('e')
    await page.fill('#custom-url', 'wss://exchange.invalid/ws/api/v2')
    await page.keyboard.press('Enter')
    await page.waitForSelector('#outage:visible')
  },
}
/** What stops what a scene began. */
const AFTER = { gap: ['delay 0ms'], refused: ['open'] }

const { browser, exchange, site, stop } = await stage('--no-credits')
try {
  await mkdir(FOLDER, { recursive: true })
  for (const [size, [width, height]] of Object.entries(SIZES)) {
    for (const colorScheme of ['light', 'dark']) await shoot(size, { viewport: { width, height }, colorScheme })
  }
} finally {
  await stop()
}

async function shoot(size, options) {
  const context = await browser.newContext({ ...options, deviceScaleFactor: size === 'phone' ? 2 : 1 })
  const page = await context.newPage()
  await page.goto(site.url)
  const socket = await page.waitForEvent('websocket')
  await isLive(page)
  for (let received = 0; received < MESSAGES; received++) await socket.waitForEvent('framereceived')
  for (const [scene, play] of Object.entries(SCENES)) {
    await play(page, exchange)
    const path = `${FOLDER}${scene}-${size}-${options.colorScheme}.png`
    await page.evaluate(() => scrollTo(0, 0))
    // Where the page scrolls, all of it.
    await page.screenshot({ path, fullPage: scene === 'calm' || scene === 'gap' })
    for (const command of AFTER[scene] ?? []) await exchange.command(command)
    await page.keyboard.press('Escape')
    if (scene !== 'outage') await isLive(page)
  }
  await context.close()
}
