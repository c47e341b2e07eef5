/** When the connection was live in the last minutes: a strip that fills from the right. */
import type { Connection, Phase } from '../connection.js'
import { find, write } from '../dom.js'
import { everySecond } from '../frame.js'

const NS = 'http://www.w3.org/2000/svg'
const SPAN = 300_000

interface Stretch {
  from: number
  tone: 'good' | 'wait' | 'bad'
  element: SVGRectElement
}

export class Timeline {
  readonly #svg = find<SVGSVGElement>('#timeline')
  readonly #uptime = find('#uptime')
  #stretches: Stretch[] = []

  constructor() {
    this.#svg.setAttribute('viewBox', `0 0 ${SPAN} 1`)
    this.#svg.setAttribute('preserveAspectRatio', 'none')
    everySecond(() => this.#draw())
  }

  show(connection: Connection): void {
    this.#stretches = []
    this.#svg.replaceChildren()
    this.#enter(connection.phase)
    connection.addEventListener('phase', () => this.#enter(connection.phase))
  }

  #enter({ name }: Phase): void {
    // Opening the page is no outage.
    if (name === 'opening' && this.#stretches.length === 0) return
    const tone = name === 'live' ? 'good' : name === 'waiting' || name === 'failed' || name === 'ended' ? 'bad' : 'wait'
    if (this.#stretches.at(-1)?.tone === tone) return
    const element = document.createElementNS(NS, 'rect')
    element.setAttribute('height', '1')
    element.setAttribute('class', tone)
    this.#svg.append(element)
    this.#stretches.push({ from: performance.now(), tone, element })
    this.#draw()
  }

  #draw(): void {
    const now = performance.now()
    const begin = now - SPAN
    let end = now
    let live = 0
    for (const { from, tone, element } of this.#stretches.toReversed()) {
      const start = Math.max(from, begin)
      if (end <= begin) element.remove()
      element.setAttribute('x', String(start - begin))
      element.setAttribute('width', String(Math.max(0, end - start)))
      if (tone === 'good') live += Math.max(0, end - start)
      end = from
    }
    this.#stretches = this.#stretches.filter(({ element }) => element.isConnected)
    const known = now - Math.max(begin, this.#stretches[0]?.from ?? now)
    write(this.#uptime, known < 1_000 ? '' : `live ${((100 * live) / known).toFixed(1)} %`)
  }
}
