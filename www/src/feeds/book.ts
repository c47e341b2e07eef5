/** The maintained book of the chosen instrument. */
import type { DeribitClient } from 'steadysocket'

import { Book } from '../book.js'
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
  const book = new Book(client, instrument.name, signal)
  book.addEventListener('status', () => {
    const { status } = book
    if (status.name === 'live') {
      if (panel.status.name === 'stale') journal.note('good', `The book of ${instrument.name} is live again`)
      panel.status = { name: 'live' }
      return
    }
    panel.stale(status.reason)
    if (status.name !== 'resyncing') return
    journal.resynced()
    journal.note('warn', `The book of ${instrument.name} is stale: ${status.reason}; asked for anew`)
  })
  ladder.show(book, instrument)
  try {
    for await (const _ of book) ladder.changed()
  } catch (error) {
    if (signal.aborted) return
    const text = error instanceof Error ? error.message : String(error)
    journal.note('bad', text)
    panel.status = { name: 'failed', text }
  }
}
