import { useComputed } from '@preact/signals'
import { connection, dropped, lastDrop, latency, messageRate } from '../state/connection.js'
import { clockTick } from '../state/tick.js'
import { paused } from '../state/view.js'
import { formatNumber } from '../data/format.js'
import type { Phase } from '../data/types.js'

const words: Record<Phase, string> = {
  connecting: 'Connecting',
  live: 'Live',
  reconnecting: 'Reconnecting',
  offline: 'Offline',
  'signed-out': 'Signed out',
  forbidden: 'Not allowed',
  error: 'Error'
}

/** Shedding counts as going on until this long after the last notice, milliseconds. */
const SHEDDING_MS = 10_000
export const isShedding = (now: number): boolean => lastDrop.value > 0 && now - lastDrop.value < SHEDDING_MS

/** How the page hears from the server: state, round trip, messages a second, and what the server dropped for it. */
export function ConnectionPill () {
  const phase = useComputed(() => connection.value.phase)
  const live = phase.value === 'live'
  const shedding = live && isShedding(clockTick.value)
  return (
    <div class='pill' data-phase={phase} data-shedding={shedding} role='group' aria-label='Connection'>
      <span class='pill-state'><span class='dot' aria-hidden='true' /><span id='connection-word'>{words[phase.value]}</span></span>
      {live && (
        <>
          <span class='pill-figure' title='Time to the server and back'>{latencyText()}<span class='unit'> ms</span></span>
          <span class='pill-figure' title='Messages received in the last second'>{formatNumber(messageRate.value)}<span class='unit'>/s</span></span>
        </>
      )}
      <span class='pill-figure pill-dropped' title='Messages the server left out for this page'>
        {formatNumber(dropped.value)}<span class='unit'> dropped</span>
      </span>
      {paused.value && <span class='pill-paused'>Paused</span>}
    </div>
  )
}

function latencyText (): string {
  const value = latency.value
  if (value === null) return '–'
  return value < 10 ? formatNumber(value, 1) : formatNumber(value)
}
