import { CommandError, ErrorCodes } from '../../errors.js'
import { monthNames } from './date-format.js'
import { fromLocal, timeZone, utcTime, type TimeZone } from './time-zone.js'

function failure (text: string, reason: string): CommandError {
  return new CommandError(ErrorCodes.ConversionFailure, `Error parsing date string '${text}'; ${reason}`)
}

const isoPattern = /^(\d{4})-?(\d{2})-?(\d{2})(?:[T ](\d{2}):?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?|[A-Za-z]+\/[A-Za-z_]+)?$/

/**
 * Reads a date without a format: ISO 8601 and close relatives, else what JavaScript reads, taken as UTC.
 * @throws CommandError 241 ConversionFailure
 */
export function parseIsoDate (text: string, zone?: TimeZone): Date {
  const match = isoPattern.exec(text.trim())
  if (match === null) return parseFreely(text, zone)
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', suffix] = match
  if (suffix !== undefined && zone !== undefined) throw failure(text, 'you cannot pass in a date/time string with time zone information together with a timezone argument')
  if (Number(month) < 1 || Number(month) > 12 || Number(day) < 1 || Number(day) > 31 || Number(hour) > 24 || Number(minute) > 59 || Number(second) > 60) {
    throw failure(text, `0: Unexpected character '${text[0] ?? ''}'`)
  }
  const local = utcTime(Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second), Number(fraction.padEnd(3, '0').slice(0, 3)))
  return new Date(fromLocal(local, suffix === undefined ? zone ?? timeZone(undefined) : timeZone(suffix === 'GMT' ? 'UTC' : suffix)))
}

function parseFreely (text: string, zone: TimeZone | undefined): Date {
  if (!/\d/.test(text) || /^\s*[\d.]+\s*$/.test(text)) throw failure(text, `0: Unexpected character '${text[0] ?? ''}'`)
  const hasZone = /(Z|UTC|GMT|[+-]\d{2}:?\d{2})\)?\s*$/.test(text)
  const time = Date.parse(hasZone ? text : `${text} UTC`)
  if (Number.isNaN(time)) throw failure(text, `0: Unexpected character '${text[0] ?? ''}'`)
  return new Date(hasZone || zone === undefined ? time : fromLocal(time, zone))
}

const patterns: Record<string, string> = {
  Y: '(\\d{4})',
  G: '(\\d{4})',
  m: '(\\d{1,2})',
  d: '(\\d{1,2})',
  H: '(\\d{1,2})',
  M: '(\\d{1,2})',
  S: '(\\d{1,2})',
  L: '(\\d{1,3})',
  j: '(\\d{1,3})',
  u: '([1-7])',
  V: '(\\d{1,2})',
  z: '(Z|[+-]\\d{2}:?\\d{2})',
  Z: '([+-]\\d{1,4})',
  b: '([A-Za-z]{3})',
  B: '([A-Za-z]+)',
  '%': '(%)'
}

/**
 * Reads a date by a format of `$dateFromString`.
 * @throws CommandError 18536 for a broken format, 241 ConversionFailure if the text does not follow it
 */
export function parseFormattedDate (text: string, format: string, zone: TimeZone | undefined): Date {
  const specifiers: string[] = []
  const pattern = format.replace(/%(.?)|[.*+?^${}()|[\]\\]/gs, (whole, specifier: string | undefined) => {
    if (specifier === undefined) return `\\${whole}`
    const part = patterns[specifier]
    if (part === undefined) throw new CommandError(18536, `Invalid format character '%${specifier}' in format string`)
    specifiers.push(specifier)
    return part
  })
  const match = new RegExp(`^${pattern}$`).exec(text)
  if (match === null) throw failure(text, 'the text does not follow the format')
  const parts = new Map(specifiers.map((specifier, index) => [specifier, match[index + 1] ?? '']))
  return assemble(text, parts, zone)
}

function assemble (text: string, parts: Map<string, string>, zone: TimeZone | undefined): Date {
  const number = (specifier: string, otherwise: number) => parts.has(specifier) ? Number(parts.get(specifier)) : otherwise
  const time = [number('H', 0), number('M', 0), number('S', 0), number('L', 0)] as const
  let local: number
  if (parts.has('G')) {
    local = isoWeekTime(number('G', 1970), number('V', 1), number('u', 1)) + utcTime(1970, 1, 1, ...time)
  } else {
    if (!parts.has('Y')) throw failure(text, 'an incomplete date/time string has been found, with elements missing: "year"')
    const month = number('m', monthOf(parts.get('B') ?? parts.get('b'), text))
    if (month < 1 || month > 12 || number('d', 1) < 1 || number('d', 1) > 31) throw failure(text, 'Invalid date')
    local = parts.has('j') ? utcTime(number('Y', 1970), 1, number('j', 1), ...time) : utcTime(number('Y', 1970), month, number('d', 1), ...time)
  }
  const minutes = parts.get('Z')
  if (minutes !== undefined) return new Date(local - Number(minutes) * 60_000)
  const suffix = parts.get('z')
  return new Date(fromLocal(local, suffix === undefined ? zone ?? timeZone(undefined) : timeZone(suffix)))
}

function monthOf (name: string | undefined, text: string): number {
  if (name === undefined) return 1
  const index = monthNames.findIndex(month => month.toLowerCase().startsWith(name.toLowerCase()) && name.length >= 3)
  if (index === -1) throw failure(text, 'unknown month name')
  return index + 1
}

/** Monday of ISO week 1 is the Monday on or before 4 January. */
export function isoWeekTime (year: number, week: number, day: number): number {
  const fourth = new Date(utcTime(year, 1, 4))
  return fourth.getTime() + ((week - 1) * 7 + day - (fourth.getUTCDay() || 7)) * 86_400_000
}
