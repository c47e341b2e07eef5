/** Keys that do something anywhere on the page, except while a dialog is open: only dialogs have fields to type in. */

export interface Shortcut {
  keys: string[]
  meaning: string
  /** The key that was pressed is one of `keys`. */
  press: (key: string) => void
}

export function listen(shortcuts: readonly Shortcut[], allowed: () => boolean): void {
  addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !allowed()) return
    if (document.querySelector('dialog[open]') !== null) return
    const shortcut = shortcuts.find(({ keys }) => keys.includes(event.key))
    if (shortcut === undefined) return
    event.preventDefault()
    shortcut.press(event.key)
  })
}
