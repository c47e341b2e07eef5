/** Keys that do something anywhere on the page, except where text is typed. */

export interface Shortcut {
  keys: string[]
  meaning: string
  /** The key that was pressed is one of `keys`. */
  press: (key: string) => void
}

export function listen(shortcuts: readonly Shortcut[], allowed: () => boolean): void {
  addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !allowed() || elsewhere(event.target)) return
    const shortcut = shortcuts.find(({ keys }) => keys.includes(event.key))
    if (shortcut === undefined) return
    event.preventDefault()
    shortcut.press(event.key)
  })
}

/** Whether the key belongs to a field or to an open dialog. */
function elsewhere(target: EventTarget | null): boolean {
  const typing = target instanceof Element && target.closest('input, textarea, select') !== null
  return typing || document.querySelector('dialog[open]') !== null
}
