import { toError } from './errors.js'

/** Runs what can be cancelled, and makes errors of what it throws. Rejects with the signal's reason when that aborts. */
export async function abortable<T>(
  signal: AbortSignal | undefined,
  run: (cancel: Promise<void> | undefined) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  let settle: () => void = () => {}
  const cancel = signal && new Promise<void>((resolve) => (settle = resolve))
  signal?.addEventListener('abort', settle, { once: true })
  try {
    const value = await run(cancel)
    signal?.throwIfAborted()
    return value
  } catch (error) {
    throw toError(error)
  } finally {
    signal?.removeEventListener('abort', settle)
    // The core holds the promise until it settles.
    settle()
  }
}
