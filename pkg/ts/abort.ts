import { Cancel } from './core.js'
import { toError } from './errors.js'

/** Runs what can be cancelled, and makes errors of what it throws. Rejects with the signal's reason when that aborts; what
 * was given at the same moment is discarded. */
export async function abortable<T>(
  signal: AbortSignal | undefined,
  run: (cancel: Cancel | undefined) => Promise<T>,
  discard: (value: T) => void = () => {},
): Promise<T> {
  signal?.throwIfAborted()
  const cancel = signal && new Cancel()
  const abort = () => cancel?.cancel()
  signal?.addEventListener('abort', abort, { once: true })
  let value: T
  try {
    value = await run(cancel?.share())
  } catch (error) {
    throw toError(error)
  } finally {
    signal?.removeEventListener('abort', abort)
    cancel?.free()
  }
  // What was cancelled gives nothing.
  if (signal?.aborted && value !== undefined) discard(value)
  signal?.throwIfAborted()
  return value
}
