import { computed, effect, signal } from '@preact/signals'

export type ThemeChoice = 'system' | 'light' | 'dark'
const KEY = 'pitwall.theme'
const darkSystem = matchMedia('(prefers-color-scheme: dark)')
const systemDark = signal(darkSystem.matches)
darkSystem.addEventListener('change', (event) => { systemDark.value = event.matches })

export const themeChoice = signal<ThemeChoice>(readChoice())
/** The theme on screen; canvases draw with its colours. */
export const theme = computed(() => themeChoice.value === 'system' ? (systemDark.value ? 'dark' : 'light') : themeChoice.value)

function readChoice (): ThemeChoice {
  const { theme } = document.documentElement.dataset
  return theme === 'light' || theme === 'dark' ? theme : 'system'
}

/** The other theme; back to the system's when that is the same. */
export function toggleTheme (): void {
  const next = theme.value === 'dark' ? 'light' : 'dark'
  themeChoice.value = (next === 'dark') === systemDark.value ? 'system' : next
}

effect(() => {
  const choice = themeChoice.value
  if (choice === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = choice
  remember(KEY, choice === 'system' ? null : choice)
})

/** Keeps a preference where storage is allowed. */
export function remember (key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key)
    else localStorage.setItem(key, value)
  } catch {
    // Storage is switched off: the choice lasts as long as the page.
  }
}

export function recall (key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}
