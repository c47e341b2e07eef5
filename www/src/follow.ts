/** Reading one channel for as long as it is wanted. */
import type { DeribitChannel, DeribitClient, DeribitData, SubscribeOptions, Update } from 'steadysocket'

import { pause } from './frame.js'
import type { Journal } from './journal.js'

/** After a subscription that failed. */
const RETRY = 5_000

/**
 * Gives each update to `take`, in order, and takes the next when that is done. A subscription that fails is made again
 * after a while. Ends with the signal or with the client.
 */
export async function follow<C extends DeribitChannel>(
  client: DeribitClient,
  channel: C,
  options: SubscribeOptions & { signal: AbortSignal },
  journal: Journal,
  take: (update: Update<DeribitData<C>>) => void | Promise<void>,
): Promise<void> {
  const { signal } = options
  while (!signal.aborted) {
    try {
      const stream = await client.subscribe(channel, options)
      for await (const update of stream.updates()) await take(update)
      return
    } catch (error) {
      if (signal.aborted || client.state.name === 'ended') return
      journal.note('bad', error instanceof Error ? error.message : String(error))
      await pause(RETRY, signal)
    }
  }
}
