/** The bars of the chosen instrument: the exchange's where it keeps them, else made of trades. */
import { type DeribitClient, RpcError } from 'steadysocket'

import { Bars, type Bar, fromHistory, type History, KEPT } from '../bars.js'
import { follow } from '../follow.js'
import { clock } from '../format.js'
import type { Instrument } from '../instruments.js'
import type { Journal } from '../journal.js'
import type { Chart, Resolution } from '../panels/chart.js'

export async function followBars(
  client: DeribitClient,
  instrument: Instrument,
  resolution: Resolution,
  journal: Journal,
  signal: AbortSignal,
  chart: Chart,
): Promise<void> {
  const { panel } = chart
  const bars = new Bars(resolution.seconds)
  chart.begin(instrument, resolution)
  panel.status = { name: 'waiting', text: 'Loading' }

  /** What was before, and what was missed meanwhile. */
  const load = async () => {
    const past = resolution.name && (await history(client, instrument.name, resolution, signal))
    if (signal.aborted) return
    if (past) {
      bars.replace(past)
      chart.replace(bars.list)
      chart.note('')
      panel.status = { name: 'live' }
    } else if (bars.list.length === 0) {
      chart.note(`Bars of trades since ${clock(Date.now())}: this exchange keeps no ${resolution.label} bars`)
      panel.status = { name: 'waiting', text: 'The chart begins with the next trade' }
    }
  }
  await load()
  return follow(client, `trades.${instrument.name}.100ms`, { signal }, journal, async (update) => {
    switch (update.type) {
      case 'data':
        for (const { price, amount, timestamp } of update.data) {
          const bar = bars.trade(price, amount, timestamp)
          if (bar) chart.update(bar)
        }
        panel.status = { name: 'live' }
        return
      case 'interrupted':
        return panel.stale('Connection lost')
      case 'resumed':
        if (panel.status.name === 'stale') panel.status = { name: 'live' }
        return load()
    }
  })
}

/** The newest bars that the exchange keeps; nothing when it keeps none. */
async function history(
  client: DeribitClient,
  instrument_name: string,
  { name, seconds }: Resolution,
  signal: AbortSignal,
): Promise<Bar[] | undefined> {
  const end = Date.now()
  const params = {
    instrument_name,
    resolution: name,
    start_timestamp: end - (KEPT / 2) * seconds * 1_000,
    end_timestamp: end,
  }
  try {
    return fromHistory(await client.call<History>('public/get_tradingview_chart_data', params, { signal }))
  } catch (error) {
    if (error instanceof RpcError || signal.aborted) return undefined
    throw error
  }
}
