import { PitwallError } from '../../errors.js'
import { parseSince } from '../cursor.js'
import type { PastPosition } from './past.js'

const replayCursor = /^c_r([0-9a-z]{1,11})(?:\.([0-9a-f]{24}))?$/

/** Cursor of a place in a replay: right after a sample, or before all of a time and later. */
export const formatReplayCursor = ({ ts, id }: PastPosition): string => `c_r${Math.floor(ts).toString(36)}${id === undefined ? '' : `.${id}`}`

/** Reads the `since` of a replay: a cursor of one, or a time. @throws BAD_CURSOR */
export function parseReplaySince (since: string | number): PastPosition {
  const parsed = parseSince(since)
  if (typeof parsed === 'number') return { ts: parsed }
  const [, time, id] = replayCursor.exec(parsed) ?? []
  if (time === undefined) throw new PitwallError('BAD_CURSOR', 'This is not a cursor of a replay')
  return { ts: Number.parseInt(time, 36), ...(id !== undefined && { id }) }
}
