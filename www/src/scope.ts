/** Work of which only the newest goes on: beginning anew ends what was begun before. */
export class Scope {
  #now = new AbortController()

  /** Ends what was begun, and gives the signal for what begins. It also ends with `outer`. */
  begin(outer?: AbortSignal): AbortSignal {
    this.end()
    this.#now = new AbortController()
    const { signal } = this.#now
    return outer === undefined ? signal : AbortSignal.any([outer, signal])
  }

  end(): void {
    this.#now.abort()
  }
}
