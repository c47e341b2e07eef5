/** Which kind of trouble it is. */
export type Category = 'connection' | 'protocol' | 'authentication' | 'application'

/** What to do next: try again (after `retryAfter` ms when there is one); ask the server what became of it; try again once
 * the login, which the client renews by itself, is there, or give it one; change the request; or make a new client. */
export type Advice = 'retry' | 'reconcile' | 'reauthenticate' | 'change' | 'stop'

/** What became of a request: it never left and may be made again; it left, and nobody here can know whether it was executed;
 * the server refused it; or it was executed and its answer cannot be read. */
export type Outcome = 'not-sent' | 'unknown' | 'rejected' | 'answered'

/** How the core describes an error. */
export interface Described {
  message: string
  category: Category
  advice: Advice
  retryAfter?: number
  outcome?: Outcome
  field?: string
  code?: number
  data?: string
}

/** What became of an operation. */
export class SteadyError extends Error {
  /** Which kind of trouble it is. */
  readonly category: Category
  /** What to do next. */
  readonly advice: Advice
  /** Try again after this many milliseconds, when the advice says so and the time is known. */
  readonly retryAfter: number | undefined
  /** What became of the request. */
  readonly outcome: Outcome
  /** The option or argument that cannot be used, when that is what is wrong. */
  readonly field: string | undefined

  constructor(described: Described) {
    super(described.message)
    this.name = new.target.name
    this.category = described.category
    this.advice = described.advice
    this.retryAfter = described.retryAfter
    this.outcome = described.outcome ?? 'not-sent'
    this.field = described.field
  }
}

/** The server answered with an error (JSON-RPC 2.0 section 5.1). */
export class RpcError extends SteadyError {
  /** The server's code. */
  readonly code: number
  /** The server's `data`, when it sent any. */
  readonly data: unknown

  constructor(described: Described) {
    super(described)
    this.code = described.code ?? 0
    this.data = described.data === undefined ? undefined : parse(described.data)
  }
}

/** An error for what the core threw. */
export function toError(thrown: unknown): unknown {
  if (typeof thrown !== 'object' || thrown === null || thrown instanceof Error) return thrown
  const described = thrown as Described
  if (described.field !== undefined) return new SteadyError(inCamelCase(described))
  return described.code === undefined ? new SteadyError(described) : new RpcError(described)
}

/** Options have other names here than in Rust. */
function inCamelCase(described: Described): Described {
  const camel = (text: string) => text.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  return { ...described, field: camel(described.field ?? ''), message: camel(described.message) }
}

/** An option that cannot be used. */
export function wrong(field: string, problem: string): SteadyError {
  return new SteadyError({
    message: `${field}: ${problem}`,
    category: 'application',
    advice: 'change',
    outcome: 'not-sent',
    field,
  })
}

/** JSON as a value; the text itself when it is not JSON. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The value of a result. */
export function decode<T>(what: string, text: string): T {
  try {
    return JSON.parse(text) as T
  } catch {
    throw new SteadyError({
      message: `cannot decode ${what}: not valid JSON`,
      category: 'protocol',
      advice: 'reconcile',
      outcome: 'answered',
    })
  }
}
