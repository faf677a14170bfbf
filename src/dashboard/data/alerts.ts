import { formatValue, withUnit } from './format.js'
import { isFields, readText, readTime } from './parse.js'
import { humanise, signalInfo } from './signals.js'

/** An alert as the page shows it; times are epoch milliseconds. */
export interface AlertItem {
  id: string
  vehicle: string
  /** Name of its rule. */
  name: string
  signal: string
  level: 'critical' | 'warning'
  state: 'open' | 'acknowledged' | 'cleared'
  message: string
  value?: number
  peak?: number
  comment?: string
  openedAt: number
  clearedAt?: number
}

/** An alert as the channel or REST give it; undefined when it is none. */
export function readAlert (value: unknown): AlertItem | undefined {
  if (!isFields(value)) return undefined
  const { id, vehicle, name, signal, severity: level, state, message, value: measured, peak, comment } = value
  const openedAt = readTime(value.openedAt)
  const clearedAt = readTime(value.clearedAt)
  if (typeof id !== 'string' || typeof vehicle !== 'string' || typeof signal !== 'string' || !Number.isFinite(openedAt)) return undefined
  if (level !== 'critical' && level !== 'warning') return undefined
  if (state !== 'open' && state !== 'acknowledged' && state !== 'cleared') return undefined
  return {
    id,
    vehicle,
    name: readText(name) ?? signal,
    signal,
    level,
    state,
    message: readText(message) ?? '',
    openedAt,
    ...(typeof measured === 'number' && { value: measured }),
    ...(typeof peak === 'number' && { peak }),
    ...(typeof comment === 'string' && { comment }),
    ...(Number.isFinite(clearedAt) && { clearedAt })
  }
}

export interface AlertText { title: string, detail: string }

/** Puts an alert into two lines: what it is, and how bad it got and what became of it. */
export function describeAlert (alert: AlertItem): AlertText {
  const { name, signal, message, state, comment } = alert
  const words = message.startsWith(signal) ? humanise(signal) + message.slice(signal.length) : message
  const [first = '', ...rest] = words.split(', ')
  const isNamed = !name.startsWith(signal)
  const info = signalInfo(signal)
  const { value = NaN, peak = value } = alert
  const details = [
    ...(isNamed ? [words] : rest),
    peak === value || Number.isNaN(peak) ? '' : `${peak < value ? 'lowest' : 'peak'} ${withUnit(formatValue(info, peak), info.unit)}`,
    state === 'open' ? '' : state,
    comment ?? ''
  ]
  return { title: isNamed ? name : first, detail: details.filter(Boolean).join(' · ') }
}

/** Open before acknowledged, critical before warning, then the newest. */
export function compareAlerts (a: AlertItem, b: AlertItem): number {
  const rank = ({ state, level }: AlertItem) => (state === 'open' ? 0 : 2) + (level === 'critical' ? 0 : 1)
  return rank(a) - rank(b) || b.openedAt - a.openedAt || (a.id < b.id ? 1 : -1)
}
