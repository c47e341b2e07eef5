/** When the connection was live in the last minutes: a row of short stretches, the newest at the right. */
import type { Connection, Phase } from '../connection.js'
import { find, write } from '../dom.js'
import { everySecond } from '../frame.js'

const NS = 'http://www.w3.org/2000/svg'
/** Five minutes together. */
const [STRETCHES, LENGTH] = [100, 3_000]

/** From the best to the worst; a stretch shows the worst of what was in it, so that no outage is too short to be seen. */
const TONES = ['none', 'good', 'wait', 'bad'] as const
type Tone = (typeof TONES)[number]

/** What is known of a stretch: for how long, in ms, and how much of that was live. */
interface Stretch {
  worst: Tone
  known: number
  live: number
}

export class Timeline {
  readonly #svg = find<SVGSVGElement>('#timeline')
  readonly #uptime = find('#uptime')
  readonly #bars = Array.from({ length: STRETCHES }, (_, index) => bar(index))
  #stretches: Stretch[] = []
  #tone: Tone = 'none'
  #counted = performance.now()

  constructor() {
    this.#svg.setAttribute('viewBox', `0 0 ${STRETCHES} 1`)
    this.#svg.setAttribute('preserveAspectRatio', 'none')
    this.#svg.append(...this.#bars)
    everySecond(() => this.#count())
  }

  show(connection: Connection): void {
    this.#stretches = []
    this.#enter(connection.phase)
    connection.addEventListener('phase', () => this.#enter(connection.phase))
  }

  #enter({ name }: Phase): void {
    this.#count()
    // Opening the page is no outage.
    if (name === 'opening' && this.#stretches.length === 0) this.#tone = 'none'
    else this.#tone = name === 'live' ? 'good' : ['waiting', 'failed', 'ended'].includes(name) ? 'bad' : 'wait'
    this.#count()
  }

  /** Adds the time since the last count to the stretch of now. */
  #count(): void {
    const now = performance.now()
    const elapsed = now - this.#counted
    this.#counted = now
    if (this.#tone === 'none') return this.#draw()
    let last = this.#stretches.at(-1)
    if (last === undefined || last.known >= LENGTH) {
      last = { worst: 'none', known: 0, live: 0 }
      this.#stretches.push(last)
      if (this.#stretches.length > STRETCHES) this.#stretches.shift()
    }
    if (TONES.indexOf(this.#tone) > TONES.indexOf(last.worst)) last.worst = this.#tone
    last.known += elapsed
    if (this.#tone === 'good') last.live += elapsed
    this.#draw()
  }

  #draw(): void {
    const empty = STRETCHES - this.#stretches.length
    this.#bars.forEach((bar, index) => bar.setAttribute('class', this.#stretches[index - empty]?.worst ?? 'none'))
    const [known, live] = [sum(this.#stretches, 'known'), sum(this.#stretches, 'live')]
    write(this.#uptime, known < 1_000 ? '' : `live ${((100 * live) / known).toFixed(1)} %`)
  }
}

function bar(index: number): SVGRectElement {
  const made = document.createElementNS(NS, 'rect')
  for (const [name, value] of Object.entries({ x: index, width: 0.7, height: 1 })) made.setAttribute(name, String(value))
  return made
}

function sum(stretches: Stretch[], part: 'known' | 'live'): number {
  return stretches.reduce((total, stretch) => total + stretch[part], 0)
}
