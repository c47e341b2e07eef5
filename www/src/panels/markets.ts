/** A card for each of the leading instruments; choosing one shows it everywhere. */
import type { Ticker } from 'steadysocket'

import { find, make, mark, write } from '../dom.js'
import { number, percent } from '../format.js'
import { everySecond } from '../frame.js'
import type { Instrument } from '../instruments.js'
import { Roving } from '../roving.js'
import { Spark } from './spark.js'

/** How many cards there are. */
export const CARDS = 6
/** Seconds that a card's line shows. */
const SECONDS = 90

export class Markets {
  readonly #root = find('#markets')
  readonly #roving: Roving
  readonly #choose: (name: string) => void
  readonly #cards = new Map<string, Card>()

  constructor(choose: (name: string) => void) {
    this.#choose = choose
    this.#roving = new Roving(this.#root, ({ dataset }) => choose(dataset['item'] ?? ''))
    this.clear()
    everySecond(() => this.#cards.forEach((card) => card.sample()))
  }

  /** Room for the cards to come. */
  clear(): void {
    this.#cards.clear()
    this.#root.replaceChildren(...Array.from({ length: CARDS }, () => make('span', 'card blank')))
  }

  show(instruments: Instrument[]): void {
    this.#cards.clear()
    for (const one of instruments) this.#cards.set(one.name, new Card(one, () => this.#choose(one.name)))
    this.#root.replaceChildren(...[...this.#cards.values()].map(({ element }) => element))
  }

  choose(name: string): void {
    this.#cards.forEach(({ element }, other) => element.setAttribute('aria-checked', String(other === name)))
    const place = (this.#cards.get(name) ?? this.#cards.values().next().value)?.element
    if (place !== undefined) this.#roving.place(place)
  }

  tick(ticker: Ticker): void {
    this.#cards.get(ticker.instrument_name)?.tick(ticker)
  }

  /** Whether what the card shows is still true. */
  freshness(name: string, fresh: boolean): void {
    this.#cards.get(name)?.freshness(fresh)
  }
}

class Card {
  readonly #instrument: Instrument
  readonly #price = make('span', 'price', '–')
  readonly #change = make('span', 'change', ' ')
  readonly #spark = new Spark(SECONDS)
  #ticker: Ticker | undefined
  readonly element: HTMLButtonElement

  constructor(instrument: Instrument, choose: () => void) {
    this.#instrument = instrument
    this.element = make('button', 'card', make('span', 'name', instrument.name), this.#price, this.#change)
    this.element.append(this.#spark.svg)
    this.element.setAttribute('role', 'radio')
    mark(this.element, 'item', instrument.name)
    mark(this.element, 'state', 'waiting')
    this.element.addEventListener('click', choose)
  }

  tick(ticker: Ticker): void {
    this.#ticker = ticker
    this.#draw()
  }

  freshness(fresh: boolean): void {
    mark(this.element, 'state', fresh ? 'live' : 'stale')
  }

  /** The mark price moves the line once a second; a stale one leaves a gap. */
  sample(): void {
    this.#spark.push(this.element.dataset['state'] === 'live' ? this.#ticker?.mark_price : undefined)
  }

  #draw(): void {
    if (this.#ticker === undefined) return
    const { last_price, mark_price, stats } = this.#ticker
    const change = stats.price_change
    write(this.#price, number(last_price ?? mark_price, this.#instrument.decimals))
    write(this.#change, change === null ? '–' : percent(change))
    mark(this.element, 'way', change === null || change === 0 ? 'flat' : change > 0 ? 'up' : 'down')
  }
}
