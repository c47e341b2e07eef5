/** What the core gives one at a time: `null` when nothing waits, and then it rings once something does; `undefined` at the
 * end. */
export interface Takable<T> {
  on_ready(ring: () => void): void
  take(): T | null | undefined
}

/** Takes one after the other, and waits in between. It ends with the core's, or by `stop`, which the core does not tell. */
export function taking<T>(core: Takable<T>): { next(): Promise<T | undefined>; stop(): void } {
  let stopped = false
  let ring = () => {}
  core.on_ready(() => ring())
  const next = async () => {
    while (!stopped) {
      const item = core.take()
      if (item !== null) return item
      await new Promise<void>((resolve) => (ring = resolve))
    }
    return undefined
  }
  const stop = () => {
    stopped = true
    ring()
  }
  return { next, stop }
}
