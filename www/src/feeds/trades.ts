/** The trades of the chosen instrument, for the tape. */
import type { DeribitClient, Trade } from 'steadysocket'

import { follow } from '../follow.js'
import type { Instrument } from '../instruments.js'
import type { Journal } from '../journal.js'
import type { Tape } from '../panels/tape.js'

/** How many past trades are asked for. */
const PAST = 60

export async function followTrades(
  client: DeribitClient,
  instrument: Instrument,
  journal: Journal,
  signal: AbortSignal,
  tape: Tape,
): Promise<void> {
  const { panel } = tape
  tape.show(instrument)
  panel.status = { name: 'waiting', text: 'Waiting for the first trade' }
  tape.add(await past(client, instrument.name, signal))
  const channel = `trades.${instrument.name}.100ms` as const
  return follow(client, channel, { signal }, journal, (update) => {
    switch (update.type) {
      case 'data':
        tape.add(update.data)
        panel.status = { name: 'live' }
        return
      case 'interrupted':
        return panel.stale('connection lost')
      case 'resumed':
        if (panel.status.name === 'stale') panel.status = { name: 'live' }
        return
      case 'lagged':
        return journal.lost(update.count, channel)
      case 'refused':
        panel.status = { name: 'failed', text: update.reason }
    }
  })
}

/** The trades before now, the oldest first; none where the exchange does not tell. */
async function past(client: DeribitClient, name: string, signal: AbortSignal): Promise<Trade[]> {
  const params = { instrument_name: name, count: PAST }
  try {
    const { trades } = await client.call('public/get_last_trades_by_instrument', params, { signal })
    return trades.toSorted((a, b) => a.trade_seq - b.trade_seq)
  } catch {
    return []
  }
}
