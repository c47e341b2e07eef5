/** What happened, for the event log, and how often, for the counters. */

export type Tone = 'good' | 'warn' | 'bad' | 'plain'

export interface Entry {
  /** Milliseconds since 1970. */
  at: number
  tone: Tone
  text: string
  /** How often in a row. */
  times: number
}

/** How many entries are kept. */
const KEPT = 100

/** Fires `change` after each entry and each count. */
export class Journal extends EventTarget {
  /** The newest first. */
  readonly entries: Entry[] = []
  /** Books that were asked for anew after a lost message. */
  resyncs = 0
  /** Messages that were lost because the page was too slow to read them. */
  dropped = 0

  note(tone: Tone, text: string): void {
    const last = this.entries[0]
    const times = last?.text === text ? last.times + 1 : 1
    // The same once more takes the place of the one before.
    this.entries.splice(0, times > 1 ? 1 : 0, { at: Date.now(), tone, text, times })
    this.entries.length = Math.min(this.entries.length, KEPT)
    this.dispatchEvent(new Event('change'))
  }

  resynced(): void {
    this.resyncs++
    this.dispatchEvent(new Event('change'))
  }

  lost(count: number, channel: string): void {
    this.dropped += count
    this.note('warn', `${count} messages of ${channel} dropped: this page reads too slowly`)
  }
}
