import type { SignalValue } from '../signals.js'
import { compareValues } from '../vehicle-tracker.js'

/** What is kept of the values of one signal in one bucket. */
export interface Summary {
  /** Values of any kind. */
  count: number
  /** Values that are numbers: what `min`, `max` and `sum` are of. */
  numbers: number
  min: number
  max: number
  sum: number
  /** Epoch milliseconds of the newest value. */
  lastAt: number
  /** The newest value; of the same time the greatest in BSON's order, as in the latest state. */
  last: SignalValue
}

/** A bucket without values yet. */
export const emptySummary = (): Summary => ({ count: 0, numbers: 0, min: Infinity, max: -Infinity, sum: 0, lastAt: -Infinity, last: 0 })

const noteLast = (summary: Summary, at: number, value: SignalValue) => {
  if (at < summary.lastAt || (at === summary.lastAt && compareValues(value, summary.last) <= 0)) return
  summary.lastAt = at
  summary.last = value
}

/** Adds one measured value. */
export function addValue (summary: Summary, at: number, value: SignalValue): void {
  summary.count++
  noteLast(summary, at, value)
  if (typeof value !== 'number') return
  summary.numbers++
  summary.sum += value
  if (value < summary.min) summary.min = value
  if (value > summary.max) summary.max = value
}

/** Adds all that another bucket holds. */
export function addSummary (summary: Summary, other: Summary): void {
  summary.count += other.count
  summary.numbers += other.numbers
  summary.sum += other.sum
  if (other.min < summary.min) summary.min = other.min
  if (other.max > summary.max) summary.max = other.max
  noteLast(summary, other.lastAt, other.last)
}

/** Buckets of one signal by number. */
export type Column = Map<number, Summary>

/** Buckets by signal. */
export type Columns = Map<string, Column>

/** A signal's bucket of a number, made when it is not there. */
export function summaryAt (columns: Columns, signal: string, bucket: number): Summary {
  let column = columns.get(signal)
  if (!column) columns.set(signal, column = new Map())
  let summary = column.get(bucket)
  if (!summary) column.set(bucket, summary = emptySummary())
  return summary
}
