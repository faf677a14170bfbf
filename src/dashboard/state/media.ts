import { signal, type ReadonlySignal } from '@preact/signals'

function follow (query: string): ReadonlySignal<boolean> {
  const list = matchMedia(query)
  const matches = signal(list.matches)
  list.addEventListener('change', (event) => { matches.value = event.matches })
  return matches
}

/** One column: the fleet is a sheet. */
export const narrow = follow('(max-width: 899px)')
export const reducedMotion = follow('(prefers-reduced-motion: reduce)')
