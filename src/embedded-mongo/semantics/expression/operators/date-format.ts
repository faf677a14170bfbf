import { CommandError } from '../../errors.js'
import { toLocal, type TimeZone } from './time-zone.js'

const DAY = 86_400_000

export function pad (value: number, width: number): string {
  return String(value).padStart(width, '0')
}

export function dayOfYear (date: Date): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY) + 1
}

/** Weeks start on Sunday; the days before the first one are week 0. */
export function weekOfYear (date: Date): number {
  return Math.floor((dayOfYear(date) + 6 - date.getUTCDay()) / 7)
}

/** ISO 8601 week and the year it belongs to: week 1 has the year's first Thursday. */
export function isoWeek (date: Date): { year: number, week: number } {
  const thursday = new Date(date.getTime() + (4 - (date.getUTCDay() || 7)) * DAY)
  return { year: thursday.getUTCFullYear(), week: Math.floor((dayOfYear(thursday) - 1) / 7) + 1 }
}

export const monthNames = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']

/** `2024-05-01T12:00:00.000Z`, as `$toString` writes dates. */
export function formatIsoDate (date: Date): string {
  return Number.isNaN(date.getTime()) ? 'Invalid Date' : date.toISOString()
}

/**
 * Writes a date by `$dateToString`'s specifiers.
 * @throws CommandError 18535, 18536 for a broken format
 */
export function formatDate (date: Date, format: string, zone: TimeZone): string {
  const local = toLocal(date.getTime(), zone)
  const offset = zone.offsetAt(date.getTime()) / 60_000
  return format.replace(/%(.?)/gs, (_whole, specifier: string) => formatPart(local, offset, specifier))
}

function formatPart (local: Date, offset: number, specifier: string): string {
  switch (specifier) {
    case 'Y': {
      const year = local.getUTCFullYear()
      if (year < 0 || year > 9999) throw new CommandError(18537, `$dateToString is only defined on year 0-9999, tried to use year ${year}`)
      return pad(year, 4)
    }
    case 'm': return pad(local.getUTCMonth() + 1, 2)
    case 'd': return pad(local.getUTCDate(), 2)
    case 'H': return pad(local.getUTCHours(), 2)
    case 'M': return pad(local.getUTCMinutes(), 2)
    case 'S': return pad(local.getUTCSeconds(), 2)
    case 'L': return pad(local.getUTCMilliseconds(), 3)
    case 'j': return pad(dayOfYear(local), 3)
    case 'w': return String(local.getUTCDay() + 1)
    case 'u': return String(local.getUTCDay() || 7)
    case 'U': return pad(weekOfYear(local), 2)
    case 'V': return pad(isoWeek(local).week, 2)
    case 'G': return pad(isoWeek(local).year, 4)
    case 'b': return (monthNames[local.getUTCMonth()] ?? '').slice(0, 3)
    case 'B': return monthNames[local.getUTCMonth()] ?? ''
    case 'z': {
      const minutes = Math.abs(offset)
      return `${offset < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60), 2)}${pad(minutes % 60, 2)}`
    }
    case 'Z': return `${offset < 0 ? '-' : '+'}${pad(Math.abs(offset), 3)}`
    case '%': return '%'
    case '': throw new CommandError(18535, "Unmatched '%' at end of format string")
    default: throw new CommandError(18536, `Invalid format character '%${specifier}' in format string`)
  }
}
