import { useComputed } from '@preact/signals'
import { connection, dropped, lastDrop, latency, messageRate } from '../state/connection.js'
import { latencyOpen, screenLatency } from '../state/latency.js'
import { clockTick } from '../state/tick.js'
import { replay } from '../state/playback.js'
import { paused } from '../state/view.js'
import { formatMilliseconds, formatNumber } from '../data/format.js'
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

/** How the page hears from the server: state, how late the screen is, messages a second, and what the server dropped for it. */
export function ConnectionPill () {
  const phase = useComputed(() => connection.value.phase)
  const live = phase.value === 'live'
  const shedding = live && isShedding(clockTick.value)
  return (
    <div class='pill' data-phase={phase} data-shedding={shedding} role='group' aria-label='Connection'>
      <span class='pill-state'><span class='dot' aria-hidden='true' /><span id='connection-word'>{words[phase.value]}</span></span>
      {live && (
        <>
          <LatencyFigure />
          <span class='pill-figure' title='Messages received in the last second'>{formatNumber(messageRate.value)}<span class='unit'>/s</span></span>
        </>
      )}
      <span class='pill-figure pill-dropped' title='Messages the server left out for this page'>
        {formatNumber(dropped.value)}<span class='unit'> dropped</span>
      </span>
      {paused.value && <span class='pill-paused'>{replay.value ? <><span class='pill-word'>Replay </span>×{replay.value.speed}</> : 'Paused'}</span>}
    </div>
  )
}

/** From the sensor to the screen; the way to the server and back, marked as such, where no sample says when it was sent. */
function LatencyFigure () {
  const measured = screenLatency.value
  const value = measured?.median ?? latency.value
  const what = measured ? `From the sensor to the screen; 99 of 100 within ${formatMilliseconds(measured.high)}` : 'Time to the server and back'
  const text = value === null ? '–' : formatMilliseconds(value).replace('\u00a0ms', '')
  return (
    <button type='button' class='pill-figure pill-latency' title={what} aria-label={`${what}: ${text} ms. Details`} aria-haspopup='dialog' onClick={() => { latencyOpen.value = true }}>
      {!measured && <span class='unit'>↔ </span>}{text}<span class='unit'> ms</span>
    </button>
  )
}
