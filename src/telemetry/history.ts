import { PitwallError } from '../errors.js'
import type { SampleModel } from '../models/sample.js'
import type { Bucket, HistoryQuery, History, Point } from '../schemas/telemetry.js'
import { parseTime } from './sample-input.js'
import { builtInFields, decodeValues, storedName, type SignalFields } from './signal-fields.js'
import type { SignalValue } from './signals.js'

/** Most samples a reply without `points` holds; exports stream without bound. */
export const MAX_RAW_SAMPLES = 50_000
const DEFAULT_RANGE = 15 * 60 * 1000

/** A range of one vehicle's past: `from` inclusive, `to` exclusive, epoch milliseconds. */
export interface HistoryRange {
  vehicle: string
  from: number
  to: number
  /** All when undefined. */
  signals: string[] | undefined
}

/**
 * Reads a history query. Without `from` it begins 15 minutes before `to`, or with `whole`
 * at the beginning.
 * @throws VALIDATION_FAILED naming the parameter
 */
export function parseRange (vehicle: string, query: HistoryQuery, now: number, whole: boolean, fields: SignalFields = builtInFields): HistoryRange {
  const to = query.to === undefined ? now + 1 : parseTimeText(query.to, 'to')
  const from = query.from === undefined ? (whole ? 0 : Math.max(0, to - DEFAULT_RANGE)) : parseTimeText(query.from, 'from')
  if (from >= to) throw new PitwallError('VALIDATION_FAILED', 'from must be before to')
  const names = query.signals?.split(',').map((name) => name.trim()).filter(Boolean)
  return { vehicle, from, to, signals: names && names.length > 0 ? [...new Set(names.map(fields.nameOf))] : undefined }
}

const parseTimeText = (text: string, field: string) => parseTime(/^\d+$/.test(text) ? Number(text) : text, field)

/** Stored samples of a range in the order of their time. */
export async function * readSamples (samples: SampleModel, { vehicle, from, to, signals }: HistoryRange): AsyncGenerator<{ ts: number, values: Record<string, SignalValue> }> {
  const projection = signals
    ? { _id: 0, ts: 1, ...Object.fromEntries(signals.map((name) => [`values.${storedName(name)}`, 1])) }
    : { _id: 0, ts: 1, values: 1 }
  const cursor = samples.collection.find(
    { vehicle, ts: { $gte: new Date(from), $lt: new Date(to) } },
    { projection, sort: { vehicle: 1, ts: 1, source: 1 }, batchSize: 1000 })
  try {
    for await (const document of cursor) {
      const values = decodeValues((document.values ?? {}) as Record<string, SignalValue>)
      if (signals && Object.keys(values).length === 0) continue
      yield { ts: (document.ts as Date).getTime(), values }
    }
  } finally {
    await cursor.close()
  }
}

/**
 * Every value of a range, by signal.
 * @throws BAD_REQUEST for more than MAX_RAW_SAMPLES samples
 */
export async function readPoints (samples: SampleModel, range: HistoryRange): Promise<History> {
  const history: Record<string, Point[]> = {}
  let count = 0
  for await (const { ts, values } of readSamples(samples, range)) {
    if (++count > MAX_RAW_SAMPLES) throw new PitwallError('BAD_REQUEST', `The range has more than ${MAX_RAW_SAMPLES} samples; ask for points, a shorter range, or format=ndjson or csv`)
    const t = new Date(ts).toISOString()
    for (const name in values) (history[name] ??= []).push({ t, v: values[name] as SignalValue })
  }
  return history
}

/** Every signal's values divided into `points` buckets of equal width; buckets without values are left out. */
export async function readBuckets (samples: SampleModel, range: HistoryRange, points: number): Promise<History> {
  const width = (range.to - range.from) / points
  const history: Record<string, Bucket[]> = {}
  const open = new Map<string, { index: number, bucket: Bucket, numbers: number, sum: number }>()
  for await (const { ts, values } of readSamples(samples, range)) {
    const index = Math.min(points - 1, Math.floor((ts - range.from) / width))
    for (const name in values) {
      const value = values[name] as SignalValue
      let current = open.get(name)
      if (current?.index !== index) {
        const t = new Date(Math.ceil(range.from + index * width)).toISOString()
        const numbers = typeof value === 'number' && { min: value, max: value, mean: value }
        const bucket: Bucket = { t, ...numbers, last: value, count: 0 }
        current = { index, bucket, numbers: 0, sum: 0 }
        open.set(name, current)
        ;(history[name] ??= []).push(bucket)
      }
      const { bucket } = current
      bucket.last = value
      bucket.count++
      if (typeof value !== 'number') continue
      bucket.min = Math.min(bucket.min ?? value, value)
      bucket.max = Math.max(bucket.max ?? value, value)
      current.sum += value
      bucket.mean = current.sum / ++current.numbers
    }
  }
  return history
}
