/** The figures above the chart: what the ticker of the chosen instrument says. */
import type { Ticker } from 'steadysocket'

import { find, make, mark, write } from '../dom.js'
import { compact, number, percent } from '../format.js'
import type { Instrument } from '../instruments.js'

type Figure = (ticker: Ticker, decimals: number) => string | undefined

const FIGURES: Record<string, Figure> = {
  Mark: ({ mark_price }, decimals) => number(mark_price, decimals),
  Index: ({ index_price }, decimals) => number(index_price, decimals),
  '24h high': ({ stats }, decimals) => number(stats.high ?? NaN, decimals),
  '24h low': ({ stats }, decimals) => number(stats.low ?? NaN, decimals),
  '24h volume': ({ stats }) => compact(stats.volume_usd ?? stats.volume),
  'Open interest': ({ open_interest }) => maybe(open_interest, compact),
  'Funding 8h': ({ funding_8h }) => maybe(funding_8h, (rate) => percent(rate * 100, 4)),
  'Mark IV': ({ mark_iv }) => maybe(mark_iv, (iv) => `${number(iv, 1)} %`),
  Delta: ({ greeks }) => maybe(greeks?.delta, (delta) => number(delta, 3)),
}

export class Quote {
  readonly #root = find('#quote')
  readonly #last = make('dd', 'last', '–')
  readonly #change = make('dd', 'change', ' ')
  readonly #figures = Object.entries(FIGURES).map(([name, read]) => ({ name, read, cell: make('dd', '', '–') }))
  #instrument: Instrument | undefined
  #ticker: Ticker | undefined

  constructor() {
    const items = this.#figures.map(({ name, cell }) => make('div', '', make('dt', '', name), cell))
    const last = make('div', 'main', make('dt', 'unseen', 'Last price'), this.#last, this.#change)
    this.#root.append(last, ...items)
  }

  show(instrument: Instrument): void {
    this.clear()
    this.#instrument = instrument
  }

  clear(): void {
    this.#instrument = undefined
    this.#ticker = undefined
    write(this.#last, '–')
    write(this.#change, ' ')
    for (const { cell } of this.#figures) write(cell, '–')
  }

  tick(ticker: Ticker): void {
    this.#ticker = ticker
    this.#draw()
  }

  /** For the tab: the last price and the name. */
  get headline(): string {
    return `${this.#last.textContent} ${this.#instrument?.name ?? ''}`
  }

  /** Whether the figures are still true. */
  freshness(fresh: boolean): void {
    mark(this.#root, 'state', fresh ? 'live' : 'stale')
  }

  #draw(): void {
    const [ticker, instrument] = [this.#ticker, this.#instrument]
    if (ticker === undefined || instrument === undefined) return
    const change = ticker.stats.price_change
    write(this.#last, number(ticker.last_price ?? ticker.mark_price, instrument.decimals))
    write(this.#change, change === null ? '–' : `${percent(change)}`)
    mark(this.#change, 'way', change === null || change === 0 ? 'flat' : change > 0 ? 'up' : 'down')
    for (const { read, cell } of this.#figures) {
      const text = read(ticker, instrument.decimals)
      ;(cell.parentElement as HTMLElement).hidden = text === undefined
      write(cell, text ?? '–')
    }
  }
}

/** Nothing where this kind of instrument has no such figure. */
function maybe(value: number | undefined, text: (value: number) => string): string | undefined {
  return value === undefined ? undefined : text(value)
}
