/** The page's connection to one exchange: opened, kept, and opened again when the user asks for it. */
import { connectDeribit, type Disconnected, type DeribitClient, type State, SteadyError } from 'steadysocket'

import { environment, type Exchange, shown } from './exchange.js'
import { duration } from './format.js'
import { pause } from './frame.js'
import type { Journal } from './journal.js'

/** The client's own states, and those before there is a client. */
export type Phase =
  /** The first attempt. */
  | { name: 'opening' }
  /** The first attempt failed. The next one is `delay` ms after that, when another can help. */
  | { name: 'failed'; message: string; delay: number | undefined }
  | State

/** Between first attempts. Once connected, the client's own backoff takes over. */
const FIRST_RETRY = 5_000

/** Fires `phase` when the phase is another, and `client` when there is a new client. */
export class Connection extends EventTarget {
  readonly exchange: Exchange
  /** Aborts when another exchange was chosen. */
  readonly signal: AbortSignal
  readonly #journal: Journal
  #phase: Phase = { name: 'opening' }
  #since = performance.now()
  #client: DeribitClient | undefined
  #wake = new AbortController()

  constructor(exchange: Exchange, journal: Journal, signal: AbortSignal) {
    super()
    this.exchange = exchange
    this.#journal = journal
    this.signal = signal
    void this.#run()
  }

  get phase(): Phase {
    return this.#phase
  }

  /** When the phase began, on the clock of `performance.now()`. */
  get since(): number {
    return this.#since
  }

  get client(): DeribitClient | undefined {
    return this.#client
  }

  /** Tries now, whatever it waits for; a live connection is made anew. */
  retry(): void {
    const { name } = this.#phase
    if (name === 'failed' || name === 'ended') this.#wake.abort()
    else this.#client?.reconnect()
  }

  async #run(): Promise<void> {
    while (!this.signal.aborted) {
      const client = await this.#open()
      if (client === undefined) return
      this.#client = client
      this.#listen(client)
      this.dispatchEvent(new Event('client'))
      await client.ended
      // The client's last event is its end; from then on only the user can know better.
      await this.#rest(undefined)
    }
  }

  /** Tries until there is a client. Nothing when the page gave up this exchange. */
  async #open(): Promise<DeribitClient | undefined> {
    for (;;) {
      this.#enter({ name: 'opening' })
      try {
        return await connectDeribit({
          ...environment(this.exchange),
          signal: this.signal,
          program: { name: 'steadysocket-dashboard', version: '0.1.0' },
          connectTimeout: 5_000,
          // Data comes ten times a second, so a silence of seconds is worth a question.
          heartbeat: { idle: 3_000, timeout: 3_000 },
          retryIdempotent: true,
        })
      } catch (error) {
        if (this.signal.aborted) return undefined
        const delay = delayAfter(error)
        const message = error instanceof Error ? error.message : String(error)
        this.#journal.note('bad', `${shown(this.exchange)}: ${message}`)
        this.#enter({ name: 'failed', message, delay })
        await this.#rest(delay)
      }
      if (this.signal.aborted) return undefined
    }
  }

  #listen(client: DeribitClient): void {
    const note = this.#journal.note.bind(this.#journal)
    let lostAt: number | undefined
    note('good', `Connected to ${shown(this.exchange)}`)
    this.#enter(client.state)
    client.addEventListener('state', ({ detail }) => {
      this.#enter(detail)
      if (detail.name === 'live' && lostAt !== undefined) {
        note('good', `Live again after ${duration(performance.now() - lostAt)}`)
        lostAt = undefined
      }
      if (detail.name === 'ended' && !this.signal.aborted) note('bad', `Ended: ${detail.reason.message}`)
    })
    client.addEventListener('disconnected', ({ detail }) => {
      note(lostAt === undefined ? 'bad' : 'warn', `${lostAt === undefined ? 'Disconnected' : 'Attempt failed'}: ${why(detail)}`)
      lostAt ??= performance.now()
    })
    client.addEventListener('asked', () => note('warn', 'Silence: the exchange is asked for a sign of life'))
    client.addEventListener('invalid', ({ detail }) => note('warn', `Not understood: ${detail}`))
    client.addEventListener('refused', ({ detail }) => note('bad', `${detail.channel} refused: ${detail.reason}`))
  }

  #enter(phase: Phase): void {
    this.#phase = phase
    this.#since = performance.now()
    this.dispatchEvent(new Event('phase'))
  }

  /** Waits for the time, for `retry`, or for the end. */
  async #rest(delay: number | undefined): Promise<void> {
    this.#wake = new AbortController()
    const signal = AbortSignal.any([this.signal, this.#wake.signal])
    if (delay !== undefined) return pause(delay, signal)
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  }
}

function delayAfter(error: unknown): number | undefined {
  if (!(error instanceof SteadyError) || error.advice !== 'retry') return undefined
  return Math.max(FIRST_RETRY, error.retryAfter ?? 0)
}

/** Why it ended, with what the exchange said. */
function why({ message, code, reason }: Disconnected): string {
  if (code === undefined || message.includes(String(code))) return message
  return `${message} (${[code, reason].filter((part) => part !== undefined && part !== '').join(' ')})`
}
