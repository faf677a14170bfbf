import { signal } from '@preact/signals'
import { preciseNow } from '../data/clock.js'
import { createScreenLatency, type ScreenLatency } from '../data/screen-latency.js'
import { replay } from './playback.js'
import { paused } from './view.js'

const measured = createScreenLatency()
let readAt = 0

/** From the sensor of the vehicle in focus to this screen; null until samples came that say when they were sent. */
export const screenLatency = signal<ScreenLatency | null>(null)
export const latencyOpen = signal(false)

/** A live sample of the vehicle in focus came; one that a held view or a replay does not show does not count. */
export function noteSample (sentAt: number | undefined): void {
  if (sentAt !== undefined && !paused.peek() && replay.peek() === null) measured.arrived(sentAt)
}

/** Another vehicle is in focus. */
export function forgetLatency (): void {
  measured.forget()
  screenLatency.value = null
}

/** Called once a frame, before anything else is painted. */
export function paintLatency (now: number): void {
  measured.frame(preciseNow())
  if (now - readAt < 1000) return
  readAt = now
  screenLatency.value = measured.read()
}

// A page out of sight paints nothing: what came meanwhile says nothing of the way.
document.addEventListener('visibilitychange', () => measured.skip())
