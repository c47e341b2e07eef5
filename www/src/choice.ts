/** What the user chose, kept in the page's address so that a link shows the same. */
import { type Exchange, read, written } from './exchange.js'

export const FIRST = 'BTC-PERPETUAL'

export interface Choice {
  exchange: Exchange
  instrument: string
}

/** The choice as the address has it. Fires `change` for each other one, also by the browser's own buttons. */
export class Choices extends EventTarget {
  #now: Choice

  constructor() {
    super()
    this.#now = parse(location.hash)
    addEventListener('hashchange', () => this.#become(parse(location.hash)))
  }

  get now(): Choice {
    return this.#now
  }

  choose(part: Partial<Choice>): void {
    const next = { ...this.#now, ...part }
    const hash = text(next)
    // Silently, since an address that is not shareable is not the one in the link.
    if (hash !== location.hash) history.pushState(null, '', hash)
    this.#become(next)
  }

  #become(next: Choice): void {
    const { exchange, instrument } = this.#now
    const same = JSON.stringify(next.exchange) === JSON.stringify(exchange)
    if (same && next.instrument === instrument) return
    // The same exchange stays the same object, so that others can tell.
    this.#now = same ? { ...next, exchange } : next
    this.dispatchEvent(new Event('change'))
  }
}

function parse(hash: string): Choice {
  const params = new URLSearchParams(hash.slice(1))
  return { exchange: read(params.get('exchange')), instrument: params.get('instrument') ?? FIRST }
}

function text({ exchange, instrument }: Choice): string {
  const params = new URLSearchParams()
  const where = written(exchange)
  if (where !== undefined) params.set('exchange', where)
  params.set('instrument', instrument)
  return `#${params}`
}
