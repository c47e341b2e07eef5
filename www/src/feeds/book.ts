/** The maintained book of the chosen instrument. */
import type { Book, DeribitClient } from 'steadysocket'

import type { Instrument } from '../instruments.js'
import type { Journal } from '../journal.js'
import type { Ladder } from '../panels/ladder.js'

export async function followBook(
  client: DeribitClient,
  instrument: Instrument,
  journal: Journal,
  signal: AbortSignal,
  ladder: Ladder,
): Promise<void> {
  const { panel } = ladder
  panel.status = { name: 'waiting', text: 'Waiting for the first snapshot' }
  try {
    const book = await client.book(instrument.name, { coalesce: 'frame', signal })
    // Levels can wait for the next frame, but not the news that they are wrong.
    book.addEventListener('status', () => !signal.aborted && turn(book))
    ladder.show(book, instrument)
    turn(book)
    for await (const _ of book) ladder.draw()
  } catch (error) {
    if (signal.aborted) return
    const text = error instanceof Error ? error.message : String(error)
    journal.note('bad', text)
    panel.status = { name: 'failed', text }
  }

  function turn({ status, instrument }: Book): void {
    const before = panel.status.name
    if (status.name === 'live') {
      if (before === 'stale') journal.note('good', `The book of ${instrument} is live again`)
      panel.status = { name: 'live' }
      return
    }
    // One that had no snapshot yet goes on waiting, one that is stale already stays so since then.
    if (before !== 'live') return
    // Not the connection: this book alone.
    const alone = client.state.name === 'live'
    panel.stale(alone ? status.reason : 'connection lost')
    if (!alone) return
    journal.resynced()
    journal.note('warn', `The book of ${instrument} is stale: ${status.reason}`)
  }
}
