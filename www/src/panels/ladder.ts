/** The order book: the best levels of both sides, as the maintained book has them. */
import type { Book } from 'steadysocket'

import { find, make, mark, write } from '../dom.js'
import { number } from '../format.js'
import type { Instrument } from '../instruments.js'
import { Panel } from './panel.js'

/** Height of a row in the style sheet, in pixels. */
const ROW = 22
const [FEWEST, MOST] = [5, 40]

export class Ladder {
  readonly panel = new Panel('#book')
  readonly #asks = new Side(find('.asks', this.panel.root))
  readonly #bids = new Side(find('.bids', this.panel.root))
  readonly #table = find<HTMLTableElement>('table', this.panel.root)
  readonly #mid = find('.mid', this.panel.root)
  readonly #spread = find('.spread', this.panel.root)
  #levels = 0
  #book: Book | undefined
  #instrument: Instrument | undefined

  constructor() {
    new ResizeObserver(() => this.#fit()).observe(this.#table)
    this.#fit()
  }

  /** Shows a book from now on. */
  show(book: Book, instrument: Instrument): void {
    this.#book = book
    this.#instrument = instrument
    this.draw()
  }

  clear(): void {
    this.#book = undefined
    this.#asks.clear()
    this.#bids.clear()
    write(this.#mid, '–')
    write(this.#spread, '–')
  }

  /** As many rows as there is room for, so that nothing scrolls and nothing moves. */
  #fit(): void {
    const fixed = find('thead', this.#table).offsetHeight + find('.middle', this.#table).offsetHeight
    const room = Math.floor((this.#table.clientHeight - fixed) / 2 / ROW)
    const levels = Math.min(MOST, Math.max(FEWEST, room))
    if (levels === this.#levels) return
    this.#levels = levels
    this.#asks.resize(levels)
    this.#bids.resize(levels)
    this.draw()
  }

  /** Draws the book as it is now. */
  draw(): void {
    const [book, instrument] = [this.#book, this.#instrument]
    if (book === undefined || instrument === undefined) return
    const asks = book.asks(this.#levels, this.#asks.levels)
    const bids = book.bids(this.#levels, this.#bids.levels)
    const deepest = Math.max(total(asks), total(bids))
    this.#asks.draw(asks, deepest, instrument)
    this.#bids.draw(bids, deepest, instrument)
    this.#drawMiddle(book, instrument)
  }

  #drawMiddle({ bestBid, bestAsk }: Book, { decimals }: Instrument): void {
    if (bestBid === undefined || bestAsk === undefined) {
      write(this.#mid, '–')
      write(this.#spread, bestBid === bestAsk ? 'no orders' : bestBid === undefined ? 'no bids' : 'no offers')
      return
    }
    const [spread, mid] = [bestAsk.price - bestBid.price, (bestAsk.price + bestBid.price) / 2]
    write(this.#mid, number(mid, decimals + 1))
    write(this.#spread, `spread ${number(spread, decimals)} · ${((spread / mid) * 10_000).toFixed(2)} bp`)
  }
}

/** The rows of one side. */
class Side {
  readonly #body: HTMLElement
  readonly #ask: boolean
  #rows: Row[] = []
  /** Reused from frame to frame. */
  levels = new Float64Array(0)

  constructor(body: HTMLElement) {
    this.#body = body
    this.#ask = body.classList.contains('asks')
  }

  resize(count: number): void {
    this.levels = new Float64Array(2 * count)
    this.#rows = Array.from({ length: count }, () => new Row())
    // Offers stand on their head: the best is the lowest.
    const rows = this.#rows.map(({ element }) => element)
    this.#body.replaceChildren(...(this.#ask ? rows.reverse() : rows))
  }

  draw(levels: Float64Array, deepest: number, instrument: Instrument): void {
    let sum = 0
    this.#rows.forEach((row, index) => {
      const [price, amount] = [levels[2 * index], levels[2 * index + 1]]
      if (price === undefined || amount === undefined) return row.clear()
      sum += amount
      row.draw(price, amount, sum, sum / deepest, instrument)
    })
  }

  clear(): void {
    for (const row of this.#rows) row.clear()
  }
}

class Row {
  readonly #price = make('td', 'price')
  readonly #amount = make('td')
  readonly #total = make('td')
  readonly element = make('tr', '', this.#price, this.#amount, this.#total)

  constructor() {
    this.clear()
  }

  draw(price: number, amount: number, sum: number, part: number, instrument: Instrument): void {
    write(this.#price, number(price, instrument.decimals))
    write(this.#amount, number(amount, instrument.amountDecimals))
    write(this.#total, number(sum, instrument.amountDecimals))
    this.element.style.setProperty('--part', part.toFixed(3))
    mark(this.element, 'level', 'full')
  }

  clear(): void {
    if (this.element.dataset['level'] === 'none') return
    for (const cell of [this.#price, this.#amount, this.#total]) write(cell, '')
    this.element.style.setProperty('--part', '0')
    mark(this.element, 'level', 'none')
  }
}

function total(levels: Float64Array): number {
  let sum = 0
  for (let index = 1; index < levels.length; index += 2) sum += levels[index] ?? 0
  return sum
}
