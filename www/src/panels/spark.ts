/** A line of the newest values. */
import { Series } from '../series.js'

const NS = 'http://www.w3.org/2000/svg'
const [WIDTH, HEIGHT] = [100, 30]

export class Spark {
  readonly series: Series
  readonly svg: SVGSVGElement
  readonly #line = document.createElementNS(NS, 'path')
  readonly #area = document.createElementNS(NS, 'path')
  readonly #floor: number | undefined

  /** A line of so many values in an `svg`; `floor` is where its scale begins, else at the smallest value. */
  constructor(capacity: number, floor?: number, svg = document.createElementNS(NS, 'svg')) {
    this.series = new Series(capacity)
    this.#floor = floor
    this.svg = svg
    // Room for the line's own width at the edges.
    svg.setAttribute('viewBox', `0 -2 ${WIDTH} ${HEIGHT + 2}`)
    svg.setAttribute('preserveAspectRatio', 'none')
    svg.setAttribute('aria-hidden', 'true')
    svg.classList.add('spark')
    this.#area.classList.add('area')
    svg.append(this.#area, this.#line)
  }

  push(value: number | undefined): void {
    this.series.push(value)
    this.#draw()
  }

  clear(): void {
    this.series.clear()
    this.#draw()
  }

  #draw(): void {
    const { line, area } = this.series.paths(WIDTH, HEIGHT, this.#floor)
    this.#line.setAttribute('d', line)
    this.#area.setAttribute('d', area)
  }
}
