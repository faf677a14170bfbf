import { PitwallError } from '../errors.js'

const isoInstant = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/i
// The end of the year 9999, the last that ISO 8601 writes with four digits: calendars reckon some days and years beyond what they are given.
const lastInstant = 253_402_300_799_999

/**
 * Epoch milliseconds of a time a client gave: epoch milliseconds (number or digits),
 * an ISO 8601 date (midnight UTC) or an ISO 8601 time with its offset.
 * @returns null when it is none of these
 */
export function parseTime (value: string | number): number | null {
  const ms = typeof value === 'number'
    ? value
    : /^\d+$/.test(value) ? Number(value) : isoInstant.test(value) ? Date.parse(value) : NaN
  return Number.isFinite(ms) && ms >= 0 && ms <= lastInstant ? Math.floor(ms) : null
}

/** As parseTime. @throws VALIDATION_FAILED naming the field and what it was given */
export function requireTime (field: string, value: string | number): number {
  const ms = parseTime(value)
  if (ms !== null) return ms
  const message = `must be epoch milliseconds or ISO 8601 with an offset, not "${String(value)}"`
  throw new PitwallError('VALIDATION_FAILED', `${field} ${message}`, { errors: [{ path: `/${field}`, message }] })
}
