import { batch } from '@preact/signals'
import { serverNow } from '../data/clock.js'
import { detailOf } from '../charts/build-view.js'
import { focusHistory, heldMessages } from './focus.js'
import { heldEvents } from './feed.js'
import { cursorTime, pausedAt } from './view.js'
import { shownRange } from './window.js'

/** Holds the view where it is; collection goes on. */
export function pause (): void {
  if (pausedAt.peek() === null) pausedAt.value = shownInstant(serverNow())
}

/** The newest sample's time while samples flow: what comes a moment later cannot change what is held. */
function shownInstant (now: number): number {
  const ring = focusHistory()?.raw
  const newest = ring && ring.length > 0 ? ring.timeAt(ring.length - 1) : 0
  return newest > now - 1000 && newest < now ? newest : now
}

/** Goes back to now. */
export function goLive (): void {
  batch(() => {
    pausedAt.value = null
    cursorTime.value = null
    heldMessages.value = 0
    heldEvents.value = 0
  })
}

export const togglePause = (): void => pausedAt.peek() === null ? pause() : goLive()

/** Reads one sample earlier or later; in long windows a two-hundredth of it. Holds the view first. */
export function step (direction: 1 | -1, wide = false): void {
  pause()
  const { from, to } = shownRange(serverNow())
  const at = cursorTime.peek() ?? to
  const next = detailOf(to - from) === 'raw' && !wide ? neighbour(at, direction) : at + direction * (to - from) / (wide ? 20 : 200)
  cursorTime.value = Math.min(to, Math.max(from, next))
}

function neighbour (at: number, direction: 1 | -1): number {
  const ring = focusHistory()?.raw
  if (!ring || ring.length === 0) return at
  const index = direction < 0 ? ring.lowerBound(at) - 1 : ring.lowerBound(at + 0.5)
  const time = ring.timeAt(Math.min(ring.length - 1, Math.max(0, index)))
  return Number.isFinite(time) ? time : at
}
