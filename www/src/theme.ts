/** Light and dark: as the system says, unless the user chose. */
import { find, write } from './dom.js'

type Theme = 'system' | 'light' | 'dark'

const THEMES: readonly Theme[] = ['system', 'light', 'dark']
const KEY = 'theme'
const changed = new EventTarget()

/** Applies what was chosen last, and lets the button choose another. */
export function start(): void {
  apply(stored())
  find('#theme').addEventListener('click', next)
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => changed.dispatchEvent(new Event('change')))
}

/** The next of system, light, dark. */
export function next(): void {
  const now = THEMES.indexOf(stored())
  const chosen = THEMES[(now + 1) % THEMES.length] ?? 'system'
  localStorage.setItem(KEY, chosen)
  apply(chosen)
}

export function onThemeChange(repaint: () => void): void {
  changed.addEventListener('change', repaint)
}

/** What a custom property comes to in the present theme, for those who paint on a canvas. */
export function colour(property: string): string {
  const probe = find('#theme-name')
  probe.style.color = `var(${property})`
  return getComputedStyle(probe).color
}

function apply(chosen: Theme): void {
  document.documentElement.dataset['theme'] = chosen
  write(find('#theme-name'), `Theme: ${chosen}`)
  find('#theme').title = `Theme: ${chosen}`
  changed.dispatchEvent(new Event('change'))
}

function stored(): Theme {
  return THEMES.find((one) => one === localStorage.getItem(KEY)) ?? 'system'
}
