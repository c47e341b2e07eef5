/** The newest values of something, sampled evenly. */
export class Series {
  readonly #capacity: number
  /** The oldest first; nothing where there was no value. */
  readonly values: (number | undefined)[] = []

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  push(value: number | undefined): void {
    this.values.push(value)
    if (this.values.length > this.#capacity) this.values.shift()
  }

  clear(): void {
    this.values.length = 0
  }

  /**
   * SVG paths in a box of `width` × `height`, the newest value at the right edge: the line, with a gap where there was
   * no value, and the area below it. The scale reaches from `floor`, or the smallest value, to the largest.
   */
  paths(width: number, height: number, floor?: number): { line: string; area: string } {
    const known = this.values.filter((value) => value !== undefined)
    const low = floor ?? Math.min(...known)
    const span = Math.max(...known) - low
    const step = width / (this.#capacity - 1)
    const from = width - step * (this.values.length - 1)
    const x = (index: number) => (from + index * step).toFixed(1)
    const y = (value: number) => (span === 0 ? height / 2 : height - ((value - low) / span) * height).toFixed(1)
    let [line, area] = ['', '']
    for (const [begin, end] of this.#runs()) {
      const points = this.values.slice(begin, end).map((value, index) => `${x(begin + index)} ${y(value ?? low)}`)
      line += `M${points.join('L')}`
      area += `M${x(begin)} ${height}L${points.join('L')}L${x(end - 1)} ${height}Z`
    }
    return { line, area }
  }

  /** Where values follow on one another without a gap: from, and up to. */
  #runs(): [number, number][] {
    const runs: [number, number][] = []
    this.values.forEach((value, index) => {
      if (value === undefined) return
      const last = runs.at(-1)
      if (last?.[1] === index) last[1] = index + 1
      else runs.push([index, index + 1])
    })
    return runs
  }
}
