import type { SignalInfo, SignalValue } from './types.js'

const numbers = new Map<number, Intl.NumberFormat>()

/** A number with thousands separated and a fixed count of digits, so that it keeps its width. */
export function formatNumber (value: number, digits = 0): string {
  let format = numbers.get(digits)
  if (!format) {
    format = new Intl.NumberFormat('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
    numbers.set(digits, format)
  }
  const text = format.format(value)
  return text === '-0' ? '0' : text.replace('-', '−')
}

/** A reading without its unit; `–` for none. */
export function formatValue (info: SignalInfo, value: SignalValue | undefined): string {
  if (value === undefined || (typeof value === 'number' && !Number.isFinite(value))) return '–'
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  return typeof value === 'number' ? formatNumber(value, info.digits) : value
}

export function withUnit (text: string, unit: string): string {
  if (unit === '' || text === '–') return text
  return unit === '°' ? `${text}°` : `${text}\u00a0${unit}`
}

/** `1.4 ms`, `18 ms`: a digit more below ten. */
export const formatMilliseconds = (value: number): string => `${formatNumber(value, value < 10 ? 1 : 0)}\u00a0ms`

/** An age in one unit: `now`, `4 s`, `3 min`, `2 h`, `5 d`. */
export function formatAge (milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  if (seconds < 1) return 'now'
  if (seconds < 60) return `${seconds}\u00a0s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}\u00a0min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}\u00a0h`
  return `${Math.floor(seconds / 86_400)}\u00a0d`
}

/** Spoken form of an age. */
export const ageInWords = (milliseconds: number): string =>
  formatAge(milliseconds) === 'now' ? 'just now' : `${formatAge(milliseconds)} ago`

const pad = (value: number) => String(value).padStart(2, '0')

/** Local time of day, `14:05:09`. */
export function formatClock (ts: number, withMilliseconds = false): string {
  const date = new Date(ts)
  const clock = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`
  return withMilliseconds ? `${clock}.${String(date.getMilliseconds()).padStart(3, '0')}` : clock
}

/** The clock, with the date in front when it is another day. */
export function formatMoment (ts: number, now: number): string {
  const same = new Date(ts).toDateString() === new Date(now).toDateString()
  return same ? formatClock(ts) : `${new Date(ts).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })} ${formatClock(ts)}`
}
