import { CommandError } from '../../errors.js'
import { typeNameOf } from '../../values/types.js'

/** A time zone as offset of local time from UTC, in milliseconds. */
export interface TimeZone {
  utc: boolean
  offsetAt: (time: number) => number
}

const UTC: TimeZone = { utc: true, offsetAt: () => 0 }
const zones = new Map<string, TimeZone>([['UTC', UTC], ['GMT', UTC], ['Z', UTC]])
const MINUTE = 60_000

/**
 * A zone by Olson name (`Europe/Berlin`) or offset (`+05:30`, `-0400`, `+03`); undefined means UTC.
 * @throws CommandError 40485 for an unknown name
 */
export function timeZone (value: unknown): TimeZone {
  if (value === undefined) return UTC
  if (typeof value !== 'string') throw new CommandError(40517, `timezone must evaluate to a string, found ${typeNameOf(value)}`)
  let zone = zones.get(value)
  if (zone === undefined) {
    zone = parseOffset(value) ?? namedZone(value)
    zones.set(value, zone)
  }
  return zone
}

function parseOffset (text: string): TimeZone | undefined {
  const match = /^([+-])(\d{2}):?(\d{2})?$/.exec(text)
  if (match === null) return undefined
  const minutes = Number(match[2]) * 60 + Number(match[3] ?? 0)
  const offset = (match[1] === '-' ? -minutes : minutes) * MINUTE
  return { utc: offset === 0, offsetAt: () => offset }
}

const QUARTER_HOUR = 15 * MINUTE

function namedZone (name: string): TimeZone {
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
      era: 'short'
    })
  } catch {
    throw new CommandError(40485, `unrecognized time zone identifier: "${name}"`)
  }
  // Offsets change on quarter hours only, and asking Intl is slow.
  const known = new Map<number, number>()
  const offsetAt = (time: number): number => {
    const slot = Math.floor(time / QUARTER_HOUR)
    let offset = known.get(slot)
    if (offset === undefined) {
      offset = localTime(format, slot * QUARTER_HOUR) - slot * QUARTER_HOUR
      if (known.size > 50_000) known.clear()
      known.set(slot, offset)
    }
    return offset
  }
  return { utc: false, offsetAt }
}

function localTime (format: Intl.DateTimeFormat, time: number): number {
  const parts: Record<string, string> = {}
  for (const { type, value } of format.formatToParts(time)) parts[type] = value
  const year = parts.era === 'BC' ? 1 - Number(parts.year) : Number(parts.year)
  return utcTime(year, Number(parts.month), Number(parts.day), Number(parts.hour), Number(parts.minute), Number(parts.second), 0)
}

/** Milliseconds of a UTC calendar time; parts may be out of range and carry over. */
export function utcTime (year: number, month: number, day: number, hour = 0, minute = 0, second = 0, millisecond = 0): number {
  const date = new Date(0)
  // Date.UTC would read years 0 to 99 as 1900 to 1999.
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second, millisecond)
  return date.getTime()
}

/** A date whose UTC fields are the local fields of the zone. */
export function toLocal (time: number, zone: TimeZone): Date {
  return new Date(time + zone.offsetAt(time))
}

/** The instant of a local time; one skipped by a clock change counts from before the change. */
export function fromLocal (local: number, zone: TimeZone): number {
  if (zone.utc) return local
  const first = local - zone.offsetAt(local)
  const second = local - zone.offsetAt(first)
  if (second === first) return first
  return zone.offsetAt(second) === local - second ? second : local - Math.min(zone.offsetAt(first), zone.offsetAt(second))
}
