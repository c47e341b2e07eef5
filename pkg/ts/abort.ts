import { toError } from './errors.js'

/** Runs what can be cancelled, and makes errors of what it throws. Rejects with the signal's reason when that aborts; what
 * was given at the same moment is discarded. */
export async function abortable<T>(
  signal: AbortSignal | undefined,
  run: (cancel: Promise<void> | undefined) => Promise<T>,
  discard: (value: T) => void = () => {},
): Promise<T> {
  signal?.throwIfAborted()
  let settle: () => void = () => {}
  const cancel = signal && new Promise<void>((resolve) => (settle = resolve))
  signal?.addEventListener('abort', settle, { once: true })
  let value: T
  try {
    value = await run(cancel)
  } catch (error) {
    throw toError(error)
  } finally {
    signal?.removeEventListener('abort', settle)
    // The core holds the promise until it settles.
    settle()
  }
  // What was cancelled gives nothing.
  if (signal?.aborted && value !== undefined) discard(value)
  signal?.throwIfAborted()
  return value
}
