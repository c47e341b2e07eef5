/** The tickers of the cards and of the chosen instrument. */
import type { DeribitClient, Ticker } from 'steadysocket'

import { follow } from '../follow.js'
import type { Journal } from '../journal.js'

/** Follows a ticker: the newest one for each frame, and whether it is still true. */
export function followTicker(
  client: DeribitClient,
  name: string,
  journal: Journal,
  signal: AbortSignal,
  on: { tick: (ticker: Ticker) => void; freshness: (fresh: boolean) => void },
): Promise<void> {
  return follow(client, `ticker.${name}.100ms`, { signal, coalesce: 'frame' }, journal, (update) => {
    switch (update.type) {
      case 'data':
        on.tick(update.data)
        return on.freshness(true)
      case 'interrupted':
        return on.freshness(false)
      case 'refused':
        return journal.note('bad', `The ticker of ${name} was refused: ${update.reason}`)
    }
  })
}
