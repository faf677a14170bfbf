import { PitwallError } from '../errors.js'

// `c_` starts every cursor; the letter after it says who made it: `n` the broker's numbers, `t` a time that a client gave.
const brokerCursor = /^c_n([0-9a-f]{10})\.([0-9a-z]{1,11})$/
const timeCursor = /^c_t([0-9a-z]{1,11})$/
const anyCursor = /^c_[A-Za-z0-9._=-]{1,500}$/

/** Cursor of a message that the broker numbered. */
export const formatCursor = (epoch: string, sequence: number): string => `c_n${epoch}.${sequence.toString(36)}`

/** Cursor of the position before everything that came at a time or later, in epoch milliseconds. */
export const formatTimeCursor = (time: number): string => `c_t${Math.ceil(time).toString(36)}`

/** Epoch and number of a broker's cursor; null for those that domains made. */
export function parseCursor (cursor: string): { epoch: string, sequence: number } | null {
  const [, epoch, sequence] = brokerCursor.exec(cursor) ?? []
  return epoch && sequence ? { epoch, sequence: Number.parseInt(sequence, 36) } : null
}

/**
 * Reads the `since` of a subscribe or history message.
 * @returns a cursor, or epoch milliseconds for a time
 * @throws BAD_CURSOR when it is neither
 */
export function parseSince (since: string | number): string | number {
  if (typeof since === 'number') {
    if (Number.isFinite(since) && since >= 0) return since
  } else if (since.startsWith('c_')) {
    const [, time] = timeCursor.exec(since) ?? []
    if (time !== undefined) return Number.parseInt(time, 36)
    if (anyCursor.test(since)) return since
  } else {
    const time = /^\d{4}-\d{2}-\d{2}T/.test(since) ? Date.parse(since) : Number.NaN
    if (!Number.isNaN(time)) return time
  }
  throw new PitwallError('BAD_CURSOR', 'since is neither a cursor (c_…) nor an ISO 8601 time or epoch milliseconds')
}
