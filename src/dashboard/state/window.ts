import { sessionStart } from '../data/vehicle-history.js'
import { focusHistory } from './focus.js'
import { pausedAt, windowKey, windows } from './view.js'

/** The time the charts show: the chosen window up to now, or up to where the view is held. */
export function shownRange (now: number): { from: number, to: number } {
  const to = pausedAt.peek() ?? now
  const { span } = windows[windowKey.peek()]
  if (span > 0) return { from: to - span, to }
  const history = focusHistory()
  const start = history ? sessionStart(history, to) : to
  // A session that has just begun is shown as a minute.
  return { from: Math.min(start, to - 60_000), to }
}
