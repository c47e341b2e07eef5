/** The price chart: bars and volume, and a row of figures above them. */
import {
  CandlestickSeries,
  createChart,
  HistogramSeries,
  type IChartApi,
  type ISeriesApi,
  type UTCTimestamp,
} from 'lightweight-charts'

import type { Resolution as Name } from 'steadysocket'

import type { Bar } from '../bars.js'
import { find, make, mark, write } from '../dom.js'
import { number } from '../format.js'
import type { Instrument } from '../instruments.js'
import { Roving } from '../roving.js'
import { colour, onThemeChange } from '../theme.js'
import { Panel } from './panel.js'

export interface Resolution {
  label: string
  seconds: number
  /** The exchange's name for it, when it keeps such bars. */
  name?: Name
}

/** What the page begins with. */
export const USUAL: Resolution = { label: '1m', seconds: 60, name: '1' }

const RESOLUTIONS: readonly Resolution[] = [
  // Too short for any exchange's history: made of trades.
  { label: '1s', seconds: 1 },
  USUAL,
  { label: '5m', seconds: 300, name: '5' },
  { label: '15m', seconds: 900, name: '15' },
  { label: '1h', seconds: 3_600, name: '60' },
  { label: '1D', seconds: 86_400, name: '1D' },
]

export class Chart {
  readonly panel = new Panel('#chart')
  readonly #title = find('h2', this.panel.root)
  readonly #note = find('.note', this.panel.root)
  readonly #canvas = find('.canvas', this.panel.root)
  readonly #chart: IChartApi
  readonly #bars: ISeriesApi<'Candlestick'>
  readonly #volume: ISeriesApi<'Histogram'>
  readonly #resolutions: HTMLElement[]
  /** Of the volume of a falling and of a rising bar. */
  #tints: [down: string, up: string] = ['', '']

  constructor(choose: (resolution: Resolution) => void) {
    this.#chart = createChart(this.#canvas, {
      autoSize: true,
      // The library's own mark would need a style that the page's policy does not allow; the footer has the link.
      layout: { attributionLogo: false, fontSize: 11 },
      timeScale: { timeVisible: true, borderVisible: false, rightOffset: 4, minBarSpacing: 2 },
      rightPriceScale: { borderVisible: false, entireTextOnly: true, scaleMargins: { top: 0.08, bottom: 0.24 } },
      handleScale: { axisPressedMouseMove: false },
    })
    this.#bars = this.#chart.addSeries(CandlestickSeries, { borderVisible: false })
    this.#volume = this.#chart.addSeries(HistogramSeries, {
      priceScaleId: 'volume',
      priceFormat: { type: 'volume' },
      lastValueVisible: false,
      priceLineVisible: false,
    })
    this.#volume.priceScale().applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } })
    this.#resolutions = RESOLUTIONS.map((resolution) => this.#button(resolution, choose))
    this.#paintTheme()
    onThemeChange(() => this.#paintTheme())
  }

  /** For another instrument or another length of bars. */
  begin(instrument: Instrument, { label, seconds }: Resolution): void {
    const step = 10 ** -instrument.decimals
    this.#bars.applyOptions({
      priceFormat: { type: 'custom', minMove: step, formatter: (price: number) => number(price, instrument.decimals) },
    })
    write(this.#title, instrument.name)
    this.#canvas.setAttribute('aria-label', `Price chart of ${instrument.name}`)
    this.#chart.timeScale().applyOptions({ secondsVisible: seconds < 60 })
    for (const button of this.#resolutions) button.setAttribute('aria-checked', String(button.dataset['item'] === label))
    this.clear()
  }

  clear(): void {
    this.replace([])
    this.note('')
  }

  replace(bars: readonly Bar[]): void {
    this.#bars.setData(bars.map(point))
    this.#volume.setData(bars.map((bar) => this.#volumeOf(bar)))
    this.#chart.timeScale().applyOptions({ barSpacing: 7 })
    this.#chart.timeScale().scrollToRealTime()
  }

  update(bar: Bar): void {
    this.#bars.update(point(bar))
    this.#volume.update(this.#volumeOf(bar))
  }

  /** What the reader should know about where the bars come from. */
  note(text: string): void {
    write(this.#note, text)
  }

  #button(resolution: Resolution, choose: (resolution: Resolution) => void): HTMLElement {
    const group = find('#resolutions')
    const button = make('button', '', resolution.label)
    button.setAttribute('role', 'radio')
    mark(button, 'item', resolution.label)
    button.addEventListener('click', () => choose(resolution))
    group.append(button)
    if (group.childElementCount === 1) {
      new Roving(group, (item) => item.click()).place(button)
    } else button.tabIndex = -1
    return button
  }

  #volumeOf({ time, volume, open, close }: Bar) {
    return { time: time as UTCTimestamp, value: volume, color: this.#tints[close < open ? 0 : 1] }
  }

  #paintTheme(): void {
    const [up, down, line] = [colour('--up'), colour('--down'), colour('--line')]
    const falling = this.#tints[0]
    this.#tints = [colour('--down-faint'), colour('--up-faint')]
    this.#chart.applyOptions({
      layout: { background: { color: 'transparent' }, textColor: colour('--soft'), fontFamily: 'Inter, sans-serif' },
      grid: { vertLines: { visible: false }, horzLines: { color: line } },
      crosshair: { vertLine: { color: colour('--faint') }, horzLine: { color: colour('--faint') } },
    })
    this.#bars.applyOptions({ upColor: up, wickUpColor: up, downColor: down, wickDownColor: down })
    const tint = (bar: object) => this.#tints['color' in bar && bar.color === falling ? 0 : 1]
    this.#volume.setData(this.#volume.data().map((bar) => ({ ...bar, color: tint(bar) })))
  }
}

function point({ time, open, high, low, close }: Bar) {
  return { time: time as UTCTimestamp, open, high, low, close }
}
