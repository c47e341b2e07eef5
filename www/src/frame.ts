/** Painting in step with the screen: in a hidden tab there are no frames, and nothing is painted. */

/** Paints in the next frame, once, however often it is asked for. */
export function onFrame(paint: () => void): () => void {
  let asked = false
  return () => {
    if (asked) return
    asked = true
    requestAnimationFrame(() => {
      asked = false
      paint()
    })
  }
}

/** Runs every second until the signal aborts. A hidden tab may run it more rarely. */
export function everySecond(run: () => void, signal?: AbortSignal): void {
  const timer = setInterval(run, 1_000)
  signal?.addEventListener('abort', () => clearInterval(timer), { once: true })
}

/** Waits, at most until the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}
