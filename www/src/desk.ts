/** Brings the data of one connection to the panels. */
import type { DeribitClient } from 'steadysocket'

import { followBars } from './feeds/bars.js'
import { followBook } from './feeds/book.js'
import { followTicker } from './feeds/tickers.js'
import { followTrades } from './feeds/trades.js'
import { pause } from './frame.js'
import { type Instrument, leading, list } from './instruments.js'
import type { Journal } from './journal.js'
import { Chart, USUAL } from './panels/chart.js'
import { Ladder } from './panels/ladder.js'
import { CARDS, Markets } from './panels/markets.js'
import { Quote } from './panels/quote.js'
import { Tape } from './panels/tape.js'
import { Scope } from './scope.js'

/** After the list of instruments could not be had. */
const RETRY = 3_000

/** What is looked at: an instrument over a connection, until the signal aborts. */
interface View {
  client: DeribitClient
  instrument: Instrument
  signal: AbortSignal
}

export class Desk {
  readonly #journal: Journal
  readonly #markets: Markets
  readonly #quote = new Quote()
  readonly #ladder = new Ladder()
  readonly #tape = new Tape()
  readonly #chart: Chart
  readonly #looking = new Scope()
  readonly #charting = new Scope()
  #resolution = USUAL
  #view: View | undefined

  constructor(journal: Journal, choose: (name: string) => void) {
    this.#journal = journal
    this.#markets = new Markets(choose)
    this.#chart = new Chart((resolution) => {
      this.#resolution = resolution
      if (this.#view !== undefined) this.#followBars(this.#view)
    })
  }

  /** Nothing to show, and why. */
  wait(text: string): void {
    this.#looking.end()
    this.#view = undefined
    this.#ladder.clear()
    this.#tape.clear()
    this.#quote.clear()
    this.#markets.clear()
    this.#chart.clear()
    for (const { panel } of [this.#ladder, this.#tape, this.#chart]) panel.status = { name: 'waiting', text }
  }

  /** The instrument and its last price, in a few characters. */
  get headline(): string {
    return this.#quote.headline
  }

  /** All that the exchange lists, and their cards. Nothing when the signal aborts first. */
  async load(client: DeribitClient, signal: AbortSignal): Promise<Instrument[]> {
    for (;;) {
      try {
        const instruments = await list(client, signal)
        this.#follow(client, leading(instruments, CARDS), signal)
        return instruments
      } catch (error) {
        if (signal.aborted) return []
        this.#journal.note('bad', `No list of instruments: ${error instanceof Error ? error.message : String(error)}`)
        await pause(RETRY, signal)
      }
    }
  }

  /** Shows an instrument everywhere. */
  look(client: DeribitClient, instrument: Instrument, outer: AbortSignal): void {
    const signal = this.#looking.begin(outer)
    const view = { client, instrument, signal }
    this.#view = view
    this.#markets.choose(instrument.name)
    this.#quote.show(instrument)
    void followTicker(client, instrument.name, this.#journal, signal, {
      tick: (ticker) => this.#quote.tick(ticker),
      freshness: (fresh) => this.#quote.freshness(fresh),
    })
    void followBook(client, instrument, this.#journal, signal, this.#ladder)
    void followTrades(client, instrument, this.#journal, signal, this.#tape)
    this.#followBars(view)
  }

  #follow(client: DeribitClient, cards: Instrument[], signal: AbortSignal): void {
    this.#markets.show(cards)
    for (const { name } of cards) {
      void followTicker(client, name, this.#journal, signal, {
        tick: (ticker) => this.#markets.tick(ticker),
        freshness: (fresh) => this.#markets.freshness(name, fresh),
      })
    }
  }

  #followBars({ client, instrument, signal }: View): void {
    void followBars({
      client,
      instrument,
      resolution: this.#resolution,
      journal: this.#journal,
      signal: this.#charting.begin(signal),
      chart: this.#chart,
    })
  }
}
