import type { RollupRecord } from '../../models/rollup.js'
import type { SampleModel } from '../../models/sample.js'
import type { VehicleModel } from '../../models/vehicle.js'
import { chunkColumns, type ChunkStore, type ChunkWrite } from './chunks.js'
import { chunkId, floorTo, HOUR, hourlyLevels, MINUTE, secondLevel, tenSecondLevel } from './levels.js'
import { joinMinutes, readRaw } from './raw-samples.js'
import { addSummary, addValue, summaryAt, type Columns } from './summary.js'

/** A minute with no more samples has no 1 s buckets: they would be no fewer. */
export const FEW_SAMPLES = 120
/** How much longer rollups are kept than samples. */
export const ROLLUP_AGES = 10

export interface RebuildOptions {
  samples: SampleModel
  vehicles: VehicleModel
  chunks: ChunkStore
}

/** What was read of one minute. */
interface MinuteSamples {
  seconds: Columns
  count: number
  /** When the first of its samples goes. */
  rawUntil: number
  /** When the last of them goes. */
  rawEnd: number
}

/** Rebuilds buckets from what they are made of: minutes from samples, hours from minutes. */
export function createRebuild ({ samples, vehicles, chunks }: RebuildOptions) {
  const readMinutes = async (vehicle: string, minutes: number[]) => {
    const read = new Map(minutes.map((minute): [number, MinuteSamples] => [minute, { seconds: new Map(), count: 0, rawUntil: Infinity, rawEnd: 0 }]))
    let expiresAt = 0
    for (const span of joinMinutes(minutes)) {
      for await (const { ts, values, receivedAt, expiresAt: expiry } of readRaw(samples, { vehicle, ...span, withTimes: true })) {
        const start = floorTo(ts, MINUTE)
        const minute = read.get(start) as MinuteSamples
        const second = Math.floor((ts - start) / secondLevel.width)
        for (const name in values) addValue(summaryAt(minute.seconds, name, second), ts, values[name] as never)
        minute.count++
        const until = expiry?.getTime() ?? 0
        const kept = Math.max(ts, receivedAt?.getTime() ?? 0)
        minute.rawUntil = Math.min(minute.rawUntil, until)
        minute.rawEnd = Math.max(minute.rawEnd, until)
        expiresAt = Math.max(expiresAt, kept + ROLLUP_AGES * (until - kept))
      }
    }
    return { read, expiresAt }
  }

  /** The chunk of 10 s buckets with those of the minutes that were read in place of what it had. */
  const tenSecondWrite = (start: number, id: string, before: RollupRecord | undefined, { read, expiresAt }: Awaited<ReturnType<typeof readMinutes>>): ChunkWrite => {
    const { width } = tenSecondLevel
    const columns = chunkColumns(before, start, (place) => read.has(start + floorTo(place * width, MINUTE)))
    const rawUntil: Record<string, Date> = { ...before?.rawUntil }
    for (const [minute, { seconds, rawUntil: until }] of read) {
      const first = (minute - start) / width
      const index = String((minute - start) / MINUTE)
      for (const [name, column] of seconds) {
        for (const [second, summary] of column) addSummary(summaryAt(columns, name, first + Math.floor(second * secondLevel.width / width)), summary)
      }
      if (until === Infinity) Reflect.deleteProperty(rawUntil, index)
      else rawUntil[index] = new Date(until)
    }
    return { id, start, before, columns, expiresAt: Math.max(expiresAt, before?.expiresAt.getTime() ?? 0), rawUntil }
  }

  const rebuildOnce = async (vehicle: string, start: number, minutes: number[]): Promise<string[] | null> => {
    const coarse = chunkId(vehicle, tenSecondLevel, start)
    const ids = minutes.map((minute) => chunkId(vehicle, secondLevel, minute))
    // First the chunks, then what they are made of: a chunk that another node built from more is then never overwritten.
    const before = await chunks.read([coarse, ...ids])
    const result = await readMinutes(vehicle, minutes)
    const writes = [tenSecondWrite(start, coarse, before.get(coarse), result)]
    for (const [index, minute] of minutes.entries()) {
      const id = ids[index] as string
      const { seconds, count, rawEnd } = result.read.get(minute) as MinuteSamples
      if (count <= FEW_SAMPLES && !before.has(id)) continue
      writes.push({ id, start: minute, before: before.get(id), columns: count > FEW_SAMPLES ? seconds : new Map(), expiresAt: rawEnd })
    }
    return await chunks.write(writes) ? writes.map(({ id }) => id) : null
  }

  const hourOnce = async (vehicle: string, hour: number): Promise<string[] | null> => {
    const targets = hourlyLevels.map((level) => {
      const start = floorTo(hour, level.span)
      return { level, start, id: chunkId(vehicle, level, start) }
    })
    const before = await chunks.read(targets.map(({ id }) => id))
    const starts = Array.from({ length: HOUR / tenSecondLevel.span }, (_, index) => hour + index * tenSecondLevel.span)
    const sources = await chunks.read(starts.map((start) => chunkId(vehicle, tenSecondLevel, start)))
    let expiresAt = 0
    const writes = targets.map(({ level, start, id }): ChunkWrite => {
      const isOfHour = (place: number) => floorTo(start + place * level.width, HOUR) === hour
      return { id, start, before: before.get(id), columns: chunkColumns(before.get(id), start, isOfHour), expiresAt: 0 }
    })
    for (const start of starts) {
      const source = sources.get(chunkId(vehicle, tenSecondLevel, start))
      if (!source) continue
      expiresAt = Math.max(expiresAt, source.expiresAt.getTime())
      for (const [name, column] of chunkColumns(source, start, () => false)) {
        for (const [place, summary] of column) {
          const time = start + place * tenSecondLevel.width
          for (const [index, { level, start: target }] of targets.entries()) {
            addSummary(summaryAt((writes[index] as ChunkWrite).columns, name, Math.floor((time - target) / level.width)), summary)
          }
        }
      }
    }
    for (const write of writes) write.expiresAt = Math.max(expiresAt, write.before?.expiresAt.getTime() ?? 0)
    return await chunks.write(writes) ? writes.map(({ id }) => id) : null
  }

  /** Repeats a rebuild until no other came between, and takes it back when the vehicle was removed meanwhile. */
  const finish = async (vehicle: string, once: () => Promise<string[] | null>) => {
    let written = await once()
    while (!written) written = await once()
    if (written.length > 0 && !await vehicles.exists({ _id: vehicle })) await chunks.remove(written)
  }

  return {
    /** Rebuilds the 1 s and 10 s buckets of minutes, all of one chunk of 10 s buckets, from samples. */
    minutes: async (vehicle: string, start: number, minutes: number[]): Promise<void> => { await finish(vehicle, () => rebuildOnce(vehicle, start, minutes)) },

    /** Rebuilds all coarser buckets of an hour from its 10 s buckets. */
    hour: async (vehicle: string, hour: number): Promise<void> => { await finish(vehicle, () => hourOnce(vehicle, hour)) }
  }
}

export type Rebuild = ReturnType<typeof createRebuild>
