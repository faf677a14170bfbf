import { PitwallError } from '../errors.js'
import type { SampleModel } from '../models/sample.js'
import type { Bucket, HistoryQuery, History, Point } from '../schemas/telemetry.js'
import { ceilTo, levelFor, levels, tenSecondLevel, type Level } from './rollups/levels.js'
import { readRaw } from './rollups/raw-samples.js'
import type { RollupReader } from './rollups/reader.js'
import { addValue, summaryAt, type Columns, type Summary } from './rollups/summary.js'
import { parseTimeText } from './sample-input.js'
import { builtInFields, type SignalFields } from './signal-fields.js'
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

/**
 * Every value of a range, by signal.
 * @throws BAD_REQUEST for more than MAX_RAW_SAMPLES samples
 */
export async function readPoints (samples: SampleModel, range: HistoryRange): Promise<History> {
  const history: Record<string, Point[]> = {}
  let count = 0
  for await (const { ts, values } of readRaw(samples, range)) {
    if (++count > MAX_RAW_SAMPLES) throw new PitwallError('BAD_REQUEST', `The range has more than ${MAX_RAW_SAMPLES} samples; ask for points, a shorter range, or format=ndjson or csv`)
    const t = new Date(ts).toISOString()
    for (const name in values) (history[name] ??= []).push({ t, v: values[name] as SignalValue })
  }
  return history
}

/**
 * Every signal's values in at most `points` buckets, one more where the first begins before
 * the range; those without values are left out. Buckets of a second or more are multiples of
 * a level's width, and begin at multiples of their own, so that they stay the same while a
 * window moves on. Narrower ones divide the range evenly. Where samples are gone, the least
 * width is 10 s.
 */
export async function readBuckets (reader: RollupReader, samples: SampleModel, range: HistoryRange, points: number): Promise<History> {
  const asked = (range.to - range.from) / points
  let level = levelFor(asked)
  if (level < finestOfSealed && (await reader.sealedIn(range.vehicle, range)).size > 0) level = finestOfSealed
  if (level < 0) return await divideSamples(samples, range, points)
  const width = ceilTo(asked, (levels[level] as Level).width)
  return toHistory(await reader.read({ ...range, level, width }), (bucket) => bucket * width)
}

const finestOfSealed = levels.indexOf(tenSecondLevel)

async function divideSamples (samples: SampleModel, range: HistoryRange, points: number): Promise<History> {
  const width = (range.to - range.from) / points
  const columns: Columns = new Map()
  for await (const { ts, values } of readRaw(samples, range)) {
    const bucket = Math.min(points - 1, Math.floor((ts - range.from) / width))
    for (const name in values) addValue(summaryAt(columns, name, bucket), ts, values[name] as SignalValue)
  }
  return toHistory(columns, (bucket) => Math.ceil(range.from + bucket * width))
}

const toHistory = (columns: Columns, startOf: (bucket: number) => number): History =>
  Object.fromEntries([...columns].map(([name, column]) => [
    name,
    [...column].sort(([a], [b]) => a - b).map(([bucket, summary]) => toBucket(startOf(bucket), summary))
  ]))

function toBucket (start: number, { count, numbers, min, max, sum, last }: Summary): Bucket {
  const t = new Date(start).toISOString()
  return numbers > 0 ? { t, min, max, mean: sum / numbers, last, count } : { t, last, count }
}
