/** One place in the order of the Tab key for a group; arrows move within it (WAI-ARIA's roving tabindex). */
export class Roving {
  readonly #group: HTMLElement
  readonly #moved: (item: HTMLElement) => void

  /** `moved` is told where the arrows went. */
  constructor(group: HTMLElement, moved: (item: HTMLElement) => void = () => {}) {
    this.#group = group
    this.#moved = moved
    group.addEventListener('keydown', (event) => this.#key(event))
    group.addEventListener('focusin', ({ target }) => {
      const item = (target as Element).closest<HTMLElement>('[data-item]')
      if (item !== null) this.place(item)
    })
  }

  /** Makes this the one that the Tab key comes to. */
  place(item: HTMLElement): void {
    for (const other of this.#items()) other.tabIndex = other === item ? 0 : -1
  }

  #items(): HTMLElement[] {
    return [...this.#group.querySelectorAll<HTMLElement>('[data-item]:not([disabled])')]
  }

  #key(event: KeyboardEvent): void {
    const items = this.#items()
    const at = items.indexOf(document.activeElement as HTMLElement)
    const to = target(event.key, at, items.length)
    const item = items[to ?? -1]
    if (at === -1 || item === undefined || event.altKey || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    item.focus()
    item.scrollIntoView({ block: 'nearest', inline: 'nearest' })
    this.#moved(item)
  }
}

function target(key: string, at: number, count: number): number | undefined {
  switch (key) {
    case 'ArrowRight':
    case 'ArrowDown':
      return (at + 1) % count
    case 'ArrowLeft':
    case 'ArrowUp':
      return (at + count - 1) % count
    case 'Home':
      return 0
    case 'End':
      return count - 1
    default:
      return undefined
  }
}
