import type { RollupMarkModel } from '../../models/rollup-mark.js'
import type { RollupModel, RollupRecord } from '../../models/rollup.js'
import type { SampleModel } from '../../models/sample.js'
import { nameOfStored, storedName } from '../signal-fields.js'
import { readColumn } from './column.js'
import { ceilTo, chunkId, chunkStart, floorTo, HOUR, levels, MINUTE, secondLevel, tenSecondLevel, type Level } from './levels.js'
import { findDirty } from './mark-documents.js'
import { readRaw, type TimeSpan } from './raw-samples.js'
import { canBeSealed, findSealed } from './sealed-minutes.js'
import { addSummary, addValue, summaryAt, type Columns } from './summary.js'

export interface RollupReaderOptions {
  samples: SampleModel
  rollups: RollupModel
  marks: RollupMarkModel
  /** Milliseconds that every sample is kept at the least. */
  retention: number
  now: () => number
}

export interface BucketQuery extends TimeSpan {
  vehicle: string
  /** All when undefined. */
  signals: string[] | undefined
  /** Index into `levels` of the coarsest level to use. */
  level: number
  /** Milliseconds of a bucket: a multiple of the level's. */
  width: number
}

// Times later than this have no four-digit year, and ids of chunks sort as text.
const END_OF_TIME = Date.UTC(9999, 11, 31)
const MOST_AT_ONCE = 16

/** The parts of a range that buckets of a width fill without dirt, and what is left for finer ones. */
function splitSpan ({ from, to }: TimeSpan, width: number, dirty: Set<number>, unit: number): { whole: TimeSpan[], rest: TimeSpan[] } {
  const first = ceilTo(from, width)
  const end = floorTo(to, width)
  if (first >= end) return { whole: [], rest: [{ from, to }] }
  const whole: TimeSpan[] = []
  const rest: TimeSpan[] = []
  const leave = (from: number, to: number) => {
    if (from >= to) return
    const last = rest.at(-1)
    if (last?.to === from) last.to = to
    else rest.push({ from, to })
  }
  leave(from, first)
  let at = first
  const stops = [...dirty].filter((start) => start < end && start + unit > first).sort((a, b) => a - b)
  for (const start of stops) {
    if (start > at) whole.push({ from: at, to: start })
    leave(Math.max(at, start), Math.min(end, start + unit))
    at = Math.max(at, start + unit)
  }
  if (at < end) whole.push({ from: at, to: end })
  leave(end, to)
  return { whole, rest }
}

const spanOf = (minutes: Set<number>): TimeSpan => {
  const starts = [...minutes].sort((a, b) => a - b)
  return { from: starts[0] ?? 0, to: (starts.at(-1) ?? 0) + MINUTE }
}

async function inTurns<T> (items: T[], run: (item: T) => Promise<void>): Promise<void> {
  for (let index = 0; index < items.length; index += MOST_AT_ONCE) await Promise.all(items.slice(index, index + MOST_AT_ONCE).map(run))
}

/**
 * Reads buckets of any width: whole ones from the coarsest level that fits, the edges and
 * what is not rolled yet from finer ones, at last from samples. The answer is thus always
 * what the samples themselves would give.
 */
export function createRollupReader ({ samples, rollups, marks, retention, now }: RollupReaderOptions) {
  const sealedIn = async (vehicle: string, span: TimeSpan): Promise<Set<number>> =>
    canBeSealed(span.from, retention, now()) ? await findSealed(rollups, vehicle, span, now()) : new Set()

  /** The range, wider by up to 10 s where no sample is left to tell what of a bucket is in it. */
  const widen = async (vehicle: string, { from, to }: TimeSpan): Promise<TimeSpan> => {
    const [first, last] = await Promise.all([sealedIn(vehicle, { from, to: from + 1 }), sealedIn(vehicle, { from: to - 1, to })])
    const { width } = tenSecondLevel
    return { from: first.size > 0 ? floorTo(from, width) : from, to: last.size > 0 ? ceilTo(to, width) : to }
  }

  const read = async ({ vehicle, from, to, signals, level, width }: BucketQuery): Promise<Columns> => {
    const columns: Columns = new Map()
    const projection = signals && Object.fromEntries(signals.map((name) => [`signals.${storedName(name)}`, 1]))

    const addChunk = ({ _id, signals: stored }: RollupRecord, { width: step }: Level, span: TimeSpan) => {
      const start = chunkStart(_id)
      for (const key in stored) {
        const name = nameOfStored(key)
        readColumn(stored[key] as never, start, (place, summary) => {
          const time = start + place * step
          if (time >= span.from && time < span.to) addSummary(summaryAt(columns, name, Math.floor(time / width)), summary)
        })
      }
    }

    /** @returns starts of the chunks there are */
    const addLevel = async (of: Level, span: TimeSpan): Promise<number[]> => {
      const found = rollups.collection.find(
        { _id: { $gte: chunkId(vehicle, of, floorTo(span.from, of.span)), $lt: chunkId(vehicle, of, span.to) } as never },
        { promoteBuffers: true, batchSize: 1000, ...(projection && { projection }) })
      const starts: number[] = []
      for await (const document of found) {
        const record = document as unknown as RollupRecord
        starts.push(chunkStart(record._id))
        addChunk(record, of, span)
      }
      return starts
    }

    const addRaw = async (span: TimeSpan) => {
      for await (const { ts, values } of readRaw(samples, { vehicle, signals, ...span })) {
        for (const name in values) addValue(summaryAt(columns, name, Math.floor(ts / width)), ts, values[name] as never)
      }
    }

    /** Whole seconds; minutes of few samples have no chunk, and their samples are read instead. */
    const addSeconds = async (span: TimeSpan) => {
      const there = new Set(await addLevel(secondLevel, span))
      const missing: TimeSpan[] = []
      for (let minute = floorTo(span.from, MINUTE); minute < span.to; minute += MINUTE) {
        if (there.has(minute)) continue
        const [from, to] = [Math.max(minute, span.from), Math.min(minute + MINUTE, span.to)]
        const last = missing.at(-1)
        if (last?.to === from) last.to = to
        else missing.push({ from, to })
      }
      await inTurns(missing, addRaw)
    }

    const range = await widen(vehicle, { from, to: Math.min(to, END_OF_TIME) })
    const { minutes, hours } = await findDirty(marks, vehicle, range.from, range.to)
    // Of some minutes the rollups hold more than the samples that are left: what came later is soon added to them.
    if (minutes.size > 0) for (const minute of await sealedIn(vehicle, spanOf(minutes))) minutes.delete(minute)
    const reads: (() => Promise<unknown>)[] = []
    let rest: TimeSpan[] = [range]
    for (let index = level; index >= 0; index--) {
      const of = levels[index] as Level
      const isHourly = of.width >= MINUTE
      const split = rest.map((span) => splitSpan(span, of.width, isHourly ? hours : minutes, isHourly ? HOUR : MINUTE))
      rest = split.flatMap((part) => part.rest)
      for (const span of split.flatMap((part) => part.whole)) reads.push(() => index === 0 ? addSeconds(span) : addLevel(of, span))
    }
    for (const span of rest) reads.push(() => addRaw(span))
    await inTurns(reads, async (run) => { await run() })
    return columns
  }

  return {
    /** Buckets of a range by signal, numbered from the beginning of time. */
    read,
    /** Minutes of a range whose samples are gone or about to: 10 s is the least width there. */
    sealedIn
  }
}

export type RollupReader = ReturnType<typeof createRollupReader>
