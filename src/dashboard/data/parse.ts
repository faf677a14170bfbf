import type { Bucket, EventDocument, Reading, Sample, SignalValue } from './types.js'

/** Readers of what the server sent: a wrong shape becomes undefined, never a thrown error or a guess. */
export type Fields = Record<string, unknown>

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const readText = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined

/** Epoch milliseconds of an ISO time or a number; NaN when it is neither. */
export function readTime (value: unknown): number {
  if (typeof value === 'number') return value
  return typeof value === 'string' ? Date.parse(value) : NaN
}

const isValue = (value: unknown): value is SignalValue =>
  typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean'

/** `{signal: value}`; other members are left out. */
export function readValues (value: unknown, except: readonly string[] = []): Record<string, SignalValue> {
  const values: Record<string, SignalValue> = {}
  if (!isFields(value)) return values
  for (const [name, item] of Object.entries(value)) {
    if (isValue(item) && !except.includes(name)) values[name] = item
  }
  return values
}

/** Latest state: `{signal: {v, t}}`. */
export function readState (value: unknown): Map<string, Reading> {
  const readings = new Map<string, Reading>()
  if (!isFields(value)) return readings
  for (const [name, item] of Object.entries(value)) {
    if (!isFields(item) || !isValue(item.v)) continue
    const ts = readTime(item.t)
    if (Number.isFinite(ts)) readings.set(name, { value: item.v, ts, seen: ts })
  }
  return readings
}

/** `{ts, sentAt?, values}` of the channel of one vehicle. */
export function readSample (value: unknown): Sample | undefined {
  if (!isFields(value)) return undefined
  const ts = readTime(value.ts)
  if (!Number.isFinite(ts)) return undefined
  const sample: Sample = { ts, values: readValues(value.values) }
  const sentAt = readTime(value.sentAt)
  if (Number.isFinite(sentAt)) sample.sentAt = sentAt
  return sample
}

/** An event as the entity channel or REST give it. */
export function readEvent (value: unknown): EventDocument | undefined {
  if (!isFields(value)) return undefined
  const { id, createdAt, updatedAt: _, type, ...fields } = value
  const time = readTime(createdAt)
  if (typeof id !== 'string' || !Number.isFinite(time)) return undefined
  return { id, createdAt: time, type: readText(type) ?? 'event', fields }
}

export function readPoints (value: unknown): { t: number, v: SignalValue }[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((item: unknown) => {
    if (!isFields(item) || !isValue(item.v)) return []
    const t = readTime(item.t)
    return Number.isFinite(t) ? [{ t, v: item.v }] : []
  })
}

export function readBuckets (value: unknown): Bucket[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((item: unknown) => {
    if (!isFields(item)) return []
    const { min, max, mean, last, count } = item
    const t = readTime(item.t)
    if (typeof min !== 'number' || typeof max !== 'number' || typeof mean !== 'number' || typeof count !== 'number') return []
    return Number.isFinite(t) ? [{ t, min, max, mean, last: typeof last === 'number' ? last : mean, count }] : []
  })
}
