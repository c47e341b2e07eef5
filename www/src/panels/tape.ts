/** The trades of one instrument, the newest first. */
import type { Trade } from 'steadysocket'

import { find, make, mark, write } from '../dom.js'
import { clock, number } from '../format.js'
import { onFrame } from '../frame.js'
import type { Instrument } from '../instruments.js'
import { Panel } from './panel.js'

/** How many trades are shown. */
const KEPT = 60

export class Tape {
  readonly panel = new Panel('#tape')
  readonly #rows = Array.from({ length: KEPT }, () => new Row())
  readonly #paint = onFrame(() => this.#draw())
  #trades: Trade[] = []
  #instrument: Instrument | undefined

  constructor() {
    find('tbody', this.panel.root).append(...this.#rows.map(({ element }) => element))
  }

  /** Starts anew, for another instrument. */
  show(instrument: Instrument): void {
    this.#instrument = instrument
    this.clear()
  }

  clear(): void {
    this.#trades = []
    this.#paint()
  }

  /** Trades in the order in which they were made. */
  add(trades: Trade[]): void {
    this.#trades.unshift(...trades.toReversed())
    this.#trades.length = Math.min(this.#trades.length, KEPT)
    this.#paint()
  }

  #draw(): void {
    this.#rows.forEach((row, index) => row.draw(this.#trades[index], this.#instrument))
  }
}

class Row {
  readonly #price = make('td', 'price')
  readonly #amount = make('td')
  readonly #time = make('td', 'time')
  readonly element = make('tr', '', this.#price, this.#amount, this.#time)

  draw(trade: Trade | undefined, instrument: Instrument | undefined): void {
    this.element.hidden = trade === undefined
    if (trade === undefined || instrument === undefined) return
    mark(this.element, 'side', trade.direction)
    write(this.#price, number(trade.price, instrument.decimals))
    write(this.#amount, number(trade.amount, instrument.amountDecimals))
    write(this.#time, clock(trade.timestamp))
  }
}
