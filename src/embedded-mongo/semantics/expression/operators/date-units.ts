import { CommandError, failedToParse } from '../../errors.js'
import { typeNameOf } from '../../values/types.js'
import { fromLocal, toLocal, utcTime, type TimeZone } from './time-zone.js'

export type Unit = 'year' | 'quarter' | 'month' | 'week' | 'day' | 'hour' | 'minute' | 'second' | 'millisecond'

const DAY = 86_400_000
const lengths: Partial<Record<Unit, number>> = { hour: 3_600_000, minute: 60_000, second: 1000, millisecond: 1 }
const units = new Set<string>(['year', 'quarter', 'month', 'week', 'day', ...Object.keys(lengths)])

export function parseUnit (name: string, value: unknown): Unit {
  if (typeof value !== 'string') throw new CommandError(5439013, `${name} requires 'unit' to be a string, but got ${typeNameOf(value)}`)
  if (!units.has(value)) throw failedToParse(`${name} parameter 'unit' value parsing failed :: caused by :: unknown time unit value: ${value}`)
  return value as Unit
}

const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']

/** A day name or its three-letter form, in any case, as 0 (Sunday, the default) to 6. */
export function weekday (name: string, value: unknown): number {
  if (value === undefined) return 0
  if (typeof value !== 'string') throw new CommandError(5439015, `${name} requires 'startOfWeek' to be a string, but got ${typeNameOf(value)}`)
  const lower = value.toLowerCase()
  const index = weekdays.findIndex(day => day === lower || day.slice(0, 3) === lower)
  if (index === -1) throw failedToParse(`${name} parameter 'startOfWeek' value parsing failed :: caused by :: unknown day of week value: ${value}`)
  return index
}

function monthsOf (unit: Unit): number {
  return unit === 'year' ? 12 : unit === 'quarter' ? 3 : 1
}

/** Adds calendar units in local time (a day that the month lacks becomes its last one), shorter units in elapsed time. */
export function addUnits (time: number, unit: Unit, amount: number, zone: TimeZone): number {
  const length = lengths[unit]
  if (length !== undefined) return time + amount * length
  const local = toLocal(time, zone)
  if (unit === 'day' || unit === 'week') return fromLocal(local.getTime() + amount * (unit === 'week' ? 7 : 1) * DAY, zone)
  const month = local.getUTCMonth() + amount * monthsOf(unit)
  const lastDay = new Date(utcTime(local.getUTCFullYear(), month + 2, 0)).getUTCDate()
  const moved = utcTime(local.getUTCFullYear(), month + 1, Math.min(local.getUTCDate(), lastDay))
  return fromLocal(moved + (local.getTime() - Math.floor(local.getTime() / DAY) * DAY), zone)
}

/** How many boundaries of the unit lie between two times, in local time. */
export function differenceIn (unit: Unit, start: number, end: number, zone: TimeZone, firstDay: number): number {
  const from = toLocal(start, zone)
  const to = toLocal(end, zone)
  return position(unit, to, firstDay) - position(unit, from, firstDay)
}

/** The number of a local time's unit, counted from a fixed point. */
function position (unit: Unit, local: Date, firstDay: number): number {
  const days = Math.floor(local.getTime() / DAY)
  switch (unit) {
    case 'year': return local.getUTCFullYear()
    case 'quarter': return local.getUTCFullYear() * 4 + Math.floor(local.getUTCMonth() / 3)
    case 'month': return local.getUTCFullYear() * 12 + local.getUTCMonth()
    // Day 0, 1 January 1970, was a Thursday.
    case 'week': return Math.floor((days + 4 - firstDay) / 7)
    case 'day': return days
    default: return Math.floor(local.getTime() / (lengths[unit] ?? 1))
  }
}

/**
 * The start of the bin a time is in. Bins of `size` units count from 1 January 2000 in the zone, and bins of
 * weeks from that year's first week start (the manual's "$dateTrunc").
 */
export function truncateDate (time: number, unit: Unit, size: number, zone: TimeZone, firstDay: number): number {
  const length = lengths[unit]
  if (length !== undefined) {
    const reference = fromLocal(Date.UTC(2000, 0, 1), zone)
    const bin = length * size
    return reference + Math.floor((time - reference) / bin) * bin
  }
  const local = toLocal(time, zone)
  const floorTo = (value: number, origin: number) => origin + Math.floor((value - origin) / size) * size
  if (unit === 'day' || unit === 'week') {
    const origin = new Date(Date.UTC(2000, 0, 1))
    if (unit === 'day') return fromLocal(floorTo(position('day', local, 0), position('day', origin, 0)) * DAY, zone)
    // The first week start on or after 1 January 2000, a Saturday.
    const firstWeek = Date.UTC(2000, 0, 1 + (firstDay - 6 + 7) % 7)
    const weeks = Math.floor((local.getTime() - firstWeek) / (7 * DAY))
    return fromLocal(firstWeek + Math.floor(weeks / size) * size * 7 * DAY, zone)
  }
  const months = monthsOf(unit) * size
  const since = position('month', local, 0) - 2000 * 12
  const start = Math.floor(since / months) * months
  return fromLocal(utcTime(2000, 1 + start, 1), zone)
}
