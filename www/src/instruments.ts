/** What can be looked at on an exchange. */
import type { DeribitClient, Instrument as Listed } from 'steadysocket'

import { decimalsOf } from './format.js'

/** What this page wants to know of an instrument. */
export interface Instrument {
  name: string
  /** `Perpetual`, `Future`, `Option`, … */
  kind: string
  /** Of a price. */
  decimals: number
  /** Of an amount. */
  amountDecimals: number
  /** The currency that amounts are in. */
  amountUnit: string
}

/** All instruments that are open, perpetuals first, then by name. */
export async function list(client: DeribitClient, signal: AbortSignal): Promise<Instrument[]> {
  const listed = await client.call('public/get_instruments', { currency: 'any', expired: false }, { signal })
  return listed.map(instrument).sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name))
}

/** Those that a trader looks at first, in this order, and then whatever there is. */
const FAVOURITES = ['BTC-PERPETUAL', 'ETH-PERPETUAL', 'BTC_USDC-PERPETUAL', 'SOL_USDC-PERPETUAL']

/** So many for the cards. */
export function leading(instruments: Instrument[], count: number): Instrument[] {
  const favourites = FAVOURITES.flatMap((name) => instruments.find((one) => one.name === name) ?? [])
  const others = instruments.filter(({ name }) => !FAVOURITES.includes(name))
  return [...favourites, ...others].slice(0, count)
}

function instrument(listed: Listed): Instrument {
  const perpetual = listed.settlement_period === 'perpetual'
  const kind = perpetual ? 'perpetual' : listed.kind.replace('_', ' ')
  const inverse = listed.instrument_type === 'reversed' && listed.kind !== 'option'
  return {
    name: listed.instrument_name,
    kind: kind.charAt(0).toUpperCase() + kind.slice(1),
    decimals: decimalsOf(listed.tick_size),
    amountDecimals: decimalsOf(listed.min_trade_amount),
    amountUnit: inverse ? listed.quote_currency : listed.base_currency,
  }
}

const KINDS = ['Perpetual', 'Future', 'Spot', 'Option']

function rank({ kind }: Instrument): number {
  const place = KINDS.indexOf(kind)
  return place === -1 ? KINDS.length : place
}
