import { PitwallError } from '../errors.js'
import type { Unit } from '../schemas/analytics.js'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Calendar arithmetic of one time zone, over epoch milliseconds. */
export interface TimeZone {
  /** Start of the minute, hour, day, week (Monday), month or year that holds the time. */
  floor (ms: number, unit: Unit): number
  /** Start of the unit after the one that starts at `start`. */
  next (start: number, unit: Unit): number
  /** The same wall-clock time a year earlier; 29 February becomes the 28th. */
  yearBefore (ms: number): number
}

/**
 * The zone of an IANA name. Offsets come from the runtime's own zone data, so days of 23
 * and 25 hours, and midnights that do not exist, are what people there have.
 * @throws VALIDATION_FAILED for a name there is no zone of
 */
export function timeZone (name: string): TimeZone {
  const format = createFormat(name)

  /** Wall-clock time at an instant, as if it were UTC. */
  const toWall = (ms: number): number => {
    const parts: Record<string, number> = {}
    for (const { type, value } of format.formatToParts(ms)) if (type !== 'literal') parts[type] = Number(value)
    return Date.UTC(parts.year ?? 0, (parts.month ?? 1) - 1, parts.day, parts.hour, parts.minute, parts.second) + (ms % 1000)
  }

  /** The first instant whose wall clock shows the time; for one that a clock change skips, the first one after it. */
  const fromWall = (wall: number): number => {
    const candidates = [wall - dayMs, wall + dayMs].map((around) => wall - (toWall(around) - around)).sort((a, b) => a - b)
    for (const ms of candidates) if (toWall(ms) === wall) return ms
    return findTransition(wall)
  }

  /** The instant of the clock change that skips a wall time. */
  const findTransition = (wall: number): number => {
    let before = wall - dayMs
    let after = wall + dayMs
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2)
      if (toWall(middle) < wall) before = middle
      else after = middle
    }
    return after
  }

  const floorWall = (wall: number, unit: 'day' | 'week' | 'month' | 'year'): number => {
    const date = new Date(wall)
    if (unit === 'year') return Date.UTC(date.getUTCFullYear(), 0)
    if (unit === 'month') return Date.UTC(date.getUTCFullYear(), date.getUTCMonth())
    const day = Math.floor(wall / dayMs) * dayMs
    return unit === 'day' ? day : day - ((date.getUTCDay() + 6) % 7) * dayMs
  }

  const floor = (ms: number, unit: Unit): number => {
    if (unit === 'minute') return Math.floor(ms / 60_000) * 60_000
    if (unit !== 'hour') return fromWall(floorWall(toWall(ms), unit))
    const wall = toWall(ms)
    return ms - (wall - Math.floor(wall / hourMs) * hourMs)
  }

  return {
    floor,
    next (start, unit) {
      if (unit === 'minute') return start + 60_000
      // Zones whose clock change is half an hour have hours of 30 and 90 minutes.
      if (unit === 'hour') return floor(start + hourMs, 'hour') > start ? floor(start + hourMs, 'hour') : start + hourMs
      const date = new Date(toWall(start))
      const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
      if (unit === 'year') return fromWall(Date.UTC(year + 1, 0))
      if (unit === 'month') return fromWall(Date.UTC(year, month + 1))
      return fromWall(floorWall(date.getTime(), unit) + (unit === 'week' ? 7 : 1) * dayMs)
    },
    yearBefore (ms) {
      const date = new Date(toWall(ms))
      const month = date.getUTCMonth()
      date.setUTCFullYear(date.getUTCFullYear() - 1)
      if (date.getUTCMonth() !== month) date.setUTCDate(0)
      return fromWall(date.getTime())
    }
  }
}

const formats = new Map<string, Intl.DateTimeFormat>()

function createFormat (name: string): Intl.DateTimeFormat {
  const known = formats.get(name)
  if (known) return known
  const message = `must be an IANA time zone such as Europe/Berlin, not "${name}"`
  const refused = new PitwallError('VALIDATION_FAILED', `timezone ${message}`, { errors: [{ path: '/timezone', message }] })
  if (!/^[A-Za-z]/.test(name)) throw refused
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      era: undefined,
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric'
    })
    // Names are accepted in any case, so only the zone's own spelling is kept: clients cannot grow the map.
    if (format.resolvedOptions().timeZone === name) formats.set(name, format)
    return format
  } catch {
    throw refused
  }
}
