import { signal } from '@preact/signals'
import { chooseByDigit, chooseNeighbour } from './choose.js'
import { goLive, step, togglePause } from './hold.js'
import { narrow } from './media.js'
import { replay } from './playback.js'
import { shiftSpeed, startReplay, stepReplay, toggleReplay } from './replay.js'
import { recall, remember } from './theme.js'
import { fleetOpen, helpOpen, page } from './view.js'

const KEY = 'pitwall.shortcuts'

/** Single keys can be switched off, for those whose voice or hand sets them off by accident. */
export const shortcutsOn = signal(recall(KEY) !== 'off')
export function switchShortcuts (on: boolean): void {
  shortcutsOn.value = on
  remember(KEY, on ? null : 'off')
}

const actions: Record<string, (event: KeyboardEvent) => void> = {
  ' ': () => replay.peek() ? toggleReplay() : togglePause(),
  ArrowLeft: (event) => replay.peek() ? stepReplay(-1, event.shiftKey) : step(-1, event.shiftKey),
  ArrowRight: (event) => replay.peek() ? stepReplay(1, event.shiftKey) : step(1, event.shiftKey),
  ArrowUp: () => chooseNeighbour(-1),
  ArrowDown: () => chooseNeighbour(1),
  l: () => goLive(),
  r: () => { if (!replay.peek()) startReplay() },
  '+': () => shiftSpeed(1),
  '-': () => shiftSpeed(-1),
  '/': () => focusSearch(),
  '?': () => { helpOpen.value = true }
}

/** Keys that a focused control needs for itself. */
function belongsToControl (event: KeyboardEvent): boolean {
  const target = event.target
  if (!(target instanceof HTMLElement)) return false
  if (target.closest('input, textarea, select, [contenteditable]')) return true
  if (event.key === ' ' || event.key === 'Enter') return target.closest('button, a, summary') !== null
  return event.key.startsWith('Arrow') && target.closest('.scroll[tabindex]') !== null
}

function focusSearch (): void {
  if (narrow.peek()) fleetOpen.value = true
  else page.value = 'live'
  const focus = () => {
    const search = document.getElementById('search')
    search?.focus()
    return search !== null && document.activeElement === search
  }
  // At once where it is to be seen already: the next key may come before the next frame does.
  if (!focus()) requestAnimationFrame(focus)
}

export function listenToKeys (): void {
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && event.target instanceof HTMLInputElement) event.target.blur()
    if (!shortcutsOn.peek() || event.ctrlKey || event.metaKey || event.altKey) return
    if (document.querySelector('dialog[open]') || belongsToControl(event)) return
    const digit = /^[1-9]$/.test(event.key) ? Number(event.key) : 0
    const action = digit > 0 ? () => chooseByDigit(digit) : actions[event.key.length === 1 ? event.key.toLowerCase() : event.key]
    if (!action) return
    event.preventDefault()
    action(event)
  })
}
