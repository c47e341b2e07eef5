/** The bars of the chosen instrument: the exchange's own where it keeps them, else made of trades. */
import { type DeribitClient, RpcError } from 'steadysocket'

import { type Bar, Bars, fromHistory, fromSent, KEPT } from '../bars.js'
import { follow } from '../follow.js'
import { clock } from '../format.js'
import type { Instrument } from '../instruments.js'
import type { Journal } from '../journal.js'
import type { Chart, Resolution } from '../panels/chart.js'

/** What is to be drawn, where, and until when. */
interface Task {
  client: DeribitClient
  instrument: Instrument
  resolution: Resolution
  journal: Journal
  signal: AbortSignal
  chart: Chart
}

export async function followBars(task: Task): Promise<void> {
  const { chart, instrument, resolution, signal } = task
  chart.begin(instrument, resolution)
  chart.panel.status = { name: 'waiting', text: 'Loading' }
  const past = await history(task)
  if (signal.aborted) return
  return past === undefined ? followTrades(task) : followSent(task, past)
}

/** The exchange's bars. What was missed in an interruption is asked for again. */
async function followSent(task: Task, past: Bar[]): Promise<void> {
  const { client, instrument, resolution, journal, signal, chart } = task
  const bars = new Bars(resolution.seconds)
  const show = (all: Bar[]) => {
    bars.replace(all)
    chart.replace(bars.list)
    chart.panel.status = { name: 'live' }
  }
  show(past)
  return follow(client, `chart.trades.${instrument.name}.${resolution.name ?? '1'}`, { signal }, journal, async (update) => {
    switch (update.type) {
      case 'data': {
        const bar = bars.put(fromSent(update.data))
        if (bar) chart.update(bar)
        return
      }
      case 'interrupted':
        return chart.panel.stale('connection lost')
      case 'resumed':
        return show((await history(task)) ?? [...bars.list])
    }
  })
}

/** Bars of the trades from now on. What was missed in an interruption stays missing, and the chart says so. */
async function followTrades({ client, instrument, resolution, journal, signal, chart }: Task): Promise<void> {
  const bars = new Bars(resolution.seconds)
  const since = clock(Date.now())
  chart.note(resolution.name ? `This exchange keeps no bars: made of trades since ${since}` : `Made of trades since ${since}`)
  chart.panel.status = { name: 'waiting', text: 'The chart begins with the next trade' }
  return follow(client, `trades.${instrument.name}.100ms`, { signal }, journal, (update) => {
    switch (update.type) {
      case 'data':
        for (const { price, amount, timestamp } of update.data) {
          const bar = bars.trade(price, amount, timestamp)
          if (bar) chart.update(bar)
        }
        chart.panel.status = { name: 'live' }
        return
      case 'interrupted':
        chart.note(`Made of trades since ${since}; those at ${clock(Date.now())} are missing`)
        return chart.panel.stale('connection lost')
      case 'resumed':
        if (chart.panel.status.name === 'stale') chart.panel.status = { name: 'live' }
    }
  })
}

/** The newest bars that the exchange keeps; nothing when it keeps none of this length. */
async function history({ client, instrument, resolution, journal, signal }: Task): Promise<Bar[] | undefined> {
  if (resolution.name === undefined) return undefined
  const end_timestamp = Date.now()
  const start_timestamp = end_timestamp - (KEPT / 2) * resolution.seconds * 1_000
  const params = { instrument_name: instrument.name, resolution: resolution.name, start_timestamp, end_timestamp }
  try {
    return fromHistory(await client.call('public/get_tradingview_chart_data', params, { signal }))
  } catch (error) {
    // An exchange that does not know the method says so; anything else is worth a line.
    if (!(error instanceof RpcError) && !signal.aborted) journal.note('warn', `No history: ${String(error)}`)
    return undefined
  }
}
