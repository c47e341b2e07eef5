/** The list of shortcuts, and the switch that turns single keys off (WCAG 2.1.4). */
import { find, make } from '../dom.js'
import type { Shortcut } from '../shortcuts.js'

const KEY = 'single-keys'

export class HelpDialog {
  readonly #dialog = find<HTMLDialogElement>('#help-dialog')
  readonly #switch = find<HTMLInputElement>('#single-keys')

  constructor() {
    this.#switch.checked = localStorage.getItem(KEY) !== 'off'
    this.#switch.addEventListener('change', () => localStorage.setItem(KEY, this.#switch.checked ? 'on' : 'off'))
  }

  /** Whether single keys do something. */
  get singleKeys(): boolean {
    return this.#switch.checked
  }

  explain(shortcuts: readonly Shortcut[]): void {
    const rows = shortcuts.map(({ keys, meaning }) => {
      const shown = keys.map((key) => make('kbd', '', key))
      return make('div', '', make('dt', '', ...shown), make('dd', '', meaning))
    })
    find('#shortcuts').replaceChildren(...rows)
  }

  open(): void {
    this.#dialog.showModal()
  }
}
