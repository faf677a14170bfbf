import { sessionStart } from '../data/vehicle-history.js'
import { focusHistory } from './focus.js'
import { playhead } from './playback.js'
import { pausedAt, windowKey, windows } from './view.js'

/** The time the charts show: the chosen window up to now, up to where the view is held, or up to what is replayed. */
export function shownRange (now: number): { from: number, to: number } {
  const to = playhead() ?? pausedAt.peek() ?? now
  const { span } = windows[windowKey.peek()]
  if (span > 0) return { from: to - span, to }
  const history = focusHistory()
  const start = history ? sessionStart(history, to) : to
  // A session that has just begun is shown as a minute.
  return { from: Math.min(start, to - 60_000), to }
}
