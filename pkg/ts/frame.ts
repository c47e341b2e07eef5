/** A page that is hidden or covered has no frames. Who waits for one is then let go after this many milliseconds, or
 * whenever the browser fires a timer of a hidden page: once a second, later once a minute. */
const HIDDEN = 250

/** How long a frame lasts where there are none at all: in Node and in most workers. */
const FRAME = 16

/** Who waits for the next frame. They share one callback: to ask for a frame costs as much as to parse several messages. */
const waiting = new Set<() => void>()
let forget = () => {}

function ask(): void {
  const frames = typeof requestAnimationFrame === 'function'
  const timer = setTimeout(release, frames ? HIDDEN : FRAME)
  const frame = frames ? requestAnimationFrame(release) : undefined
  forget = () => {
    clearTimeout(timer)
    if (frame !== undefined) cancelAnimationFrame(frame)
  }
}

function release(): void {
  forget()
  const all = [...waiting]
  waiting.clear()
  all.forEach((go) => go())
}

/** Waits for animation frames, one at a time. */
export class Frame {
  #go: (() => void) | undefined

  /** Until the next animation frame, a time without any, or `cancel`. Waiting goes on inside the frame's callback, so
   * what is drawn then is seen in this frame. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#go = resolve
      if (waiting.size === 0) ask()
      waiting.add(resolve)
    })
  }

  /** Whoever waits goes on at once. */
  cancel(): void {
    const go = this.#go
    this.#go = undefined
    if (go === undefined || !waiting.delete(go)) return
    if (waiting.size === 0) forget()
    go()
  }
}
