/** A page that is hidden or covered has no frames. Who waits for one is then let go after this many milliseconds, or
 * whenever the browser fires a timer of a hidden page: once a second, later once a minute. */
const HIDDEN = 250

/** How long a frame lasts where there are none at all: in Node and in most workers. */
const FRAME = 16

/** Waits for animation frames, one at a time. */
export class Frame {
  #release: () => void = () => {}

  /** Until the next animation frame, a time without any, or `cancel`. Waiting goes on inside the frame's callback, so
   * what is drawn then is seen in this frame. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      const frames = typeof requestAnimationFrame === 'function'
      const timer = setTimeout(() => this.cancel(), frames ? HIDDEN : FRAME)
      const frame = frames ? requestAnimationFrame(() => this.cancel()) : undefined
      this.#release = () => {
        clearTimeout(timer)
        if (frame !== undefined) cancelAnimationFrame(frame)
        resolve()
      }
    })
  }

  /** Whoever waits goes on at once. */
  cancel(): void {
    this.#release()
    this.#release = () => {}
  }
}
