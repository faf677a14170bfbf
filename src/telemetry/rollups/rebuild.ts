import type { RollupRecord } from '../../models/rollup.js'
import type { SampleModel } from '../../models/sample.js'
import type { VehicleModel } from '../../models/vehicle.js'
import { chunkColumns, type ChunkStore, type ChunkWrite } from './chunks.js'
import { chunkId, floorTo, HOUR, hourlyLevels, MINUTE, secondLevel, tenSecondLevel } from './levels.js'
import { joinMinutes, readRaw } from './raw-samples.js'
import { isSealed } from './sealed-minutes.js'
import { addSummary, addValue, summaryAt, type Columns } from './summary.js'

/** A minute with no more samples has no 1 s buckets: they would be no fewer. */
export const FEW_SAMPLES = 120
/** How much longer rollups are kept than samples. */
export const ROLLUP_AGES = 10

export interface RebuildOptions {
  samples: SampleModel
  vehicles: VehicleModel
  chunks: ChunkStore
  now: () => number
}

/** Milliseconds that storing a sample may take: later ones are not all there yet. */
const STORING_LIMIT = MINUTE

/** What was read of one minute. */
interface MinuteSamples {
  seconds: Columns
  count: number
  /** When the first of its samples goes. */
  rawUntil: number
  /** When the last of them goes. */
  rawEnd: number
  /** Of a sealed minute, when what it holds was received up to; its later samples are added. */
  sealedAt: number | null
  /** True when some samples came too lately to be added to a sealed minute. */
  isDeferred: boolean
}

/** What became of a rebuild: the documents written, and minutes to be rolled again a little later. */
interface Rebuilt { written: string[], deferred: Set<number> }

/** When a chunk goes that has all it had before, and more. */
const untilLatest = ({ expiresAt, positionUntil }: { expiresAt: number, positionUntil: number }, before: RollupRecord | undefined) => ({
  expiresAt: Math.max(expiresAt, before?.expiresAt.getTime() ?? 0),
  positionUntil: Math.max(positionUntil, before?.positionUntil?.getTime() ?? 0)
})

/** Rebuilds buckets from what they are made of: minutes from samples, hours from minutes. */
export function createRebuild ({ samples, vehicles, chunks, now }: RebuildOptions) {
  const readMinutes = async (vehicle: string, minutes: number[], sealedAt: (minute: number) => number | null, time: number) => {
    const read = new Map(minutes.map((minute): [number, MinuteSamples] =>
      [minute, { seconds: new Map(), count: 0, rawUntil: Infinity, rawEnd: 0, sealedAt: sealedAt(minute), isDeferred: false }]))
    let expiresAt = 0
    let positionUntil = 0
    for (const span of joinMinutes(minutes)) {
      for await (const { ts, values, receivedAt, expiresAt: expiry, positionUntil: position } of readRaw(samples, { vehicle, ...span, withTimes: true })) {
        const start = floorTo(ts, MINUTE)
        const minute = read.get(start) as MinuteSamples
        const received = receivedAt?.getTime() ?? 0
        if (minute.sealedAt !== null && (received <= minute.sealedAt || received > time - STORING_LIMIT)) {
          minute.isDeferred ||= received > minute.sealedAt
          continue
        }
        const second = Math.floor((ts - start) / secondLevel.width)
        for (const name in values) addValue(summaryAt(minute.seconds, name, second), ts, values[name] as never)
        minute.count++
        const until = expiry?.getTime() ?? 0
        const kept = Math.max(ts, received)
        positionUntil = Math.max(positionUntil, position?.getTime() ?? 0)
        minute.rawUntil = Math.min(minute.rawUntil, until)
        minute.rawEnd = Math.max(minute.rawEnd, until)
        expiresAt = Math.max(expiresAt, kept + ROLLUP_AGES * (until - kept))
      }
    }
    return { read, expiresAt, positionUntil }
  }

  /** The chunk of 10 s buckets with those of the minutes that were read in place of what it had, or added when they are sealed. */
  const tenSecondWrite = (start: number, id: string, before: RollupRecord | undefined, { read, expiresAt, positionUntil }: Awaited<ReturnType<typeof readMinutes>>, time: number): ChunkWrite => {
    const { width } = tenSecondLevel
    const columns = chunkColumns(before, start, (place) => read.get(start + floorTo(place * width, MINUTE))?.sealedAt === null)
    const rolled = { ...before?.rolled }
    for (const [minute, { seconds, rawUntil, sealedAt }] of read) {
      if (floorTo(minute, tenSecondLevel.span) !== start) continue
      const first = (minute - start) / width
      const index = String((minute - start) / MINUTE)
      for (const [name, column] of seconds) {
        for (const [second, summary] of column) addSummary(summaryAt(columns, name, first + Math.floor(second * secondLevel.width / width)), summary)
      }
      const known = rolled[index]
      if (sealedAt !== null && known) rolled[index] = { ...known, at: new Date(time - STORING_LIMIT) }
      else if (rawUntil === Infinity) Reflect.deleteProperty(rolled, index)
      else rolled[index] = { at: new Date(time), rawUntil: new Date(rawUntil) }
    }
    return { id, start, before, columns, rolled, ...untilLatest({ expiresAt, positionUntil }, before) }
  }

  const minutesOnce = async (vehicle: string, minutes: number[]): Promise<Rebuilt | null> => {
    const starts = [...new Set(minutes.map((minute) => floorTo(minute, tenSecondLevel.span)))]
    const coarseId = (start: number) => chunkId(vehicle, tenSecondLevel, start)
    const ids = minutes.map((minute) => chunkId(vehicle, secondLevel, minute))
    // First the chunks, then what they are made of: a chunk that another node built from more is then never overwritten.
    const before = await chunks.read([...starts.map(coarseId), ...ids])
    const time = now()
    const sealedAt = (minute: number) => {
      const start = floorTo(minute, tenSecondLevel.span)
      const known = before.get(coarseId(start))?.rolled?.[String((minute - start) / MINUTE)]
      return known && isSealed(known.rawUntil, time) ? known.at.getTime() : null
    }
    const result = await readMinutes(vehicle, minutes, sealedAt, time)
    const writes = starts.map((start) => tenSecondWrite(start, coarseId(start), before.get(coarseId(start)), result, time))
    for (const [index, minute] of minutes.entries()) {
      const id = ids[index] as string
      const { seconds, count, rawEnd, sealedAt } = result.read.get(minute) as MinuteSamples
      const isKept = count > FEW_SAMPLES && sealedAt === null
      if (isKept || before.has(id)) writes.push({ id, start: minute, before: before.get(id), columns: isKept ? seconds : new Map(), expiresAt: rawEnd, positionUntil: result.positionUntil })
    }
    if (!await chunks.write(writes)) return null
    return { written: writes.map(({ id }) => id), deferred: new Set(minutes.filter((minute) => result.read.get(minute)?.isDeferred)) }
  }

  const hourOnce = async (vehicle: string, hour: number): Promise<Rebuilt | null> => {
    const targets = hourlyLevels.map((level) => {
      const start = floorTo(hour, level.span)
      return { level, start, id: chunkId(vehicle, level, start) }
    })
    const before = await chunks.read(targets.map(({ id }) => id))
    const starts = Array.from({ length: HOUR / tenSecondLevel.span }, (_, index) => hour + index * tenSecondLevel.span)
    const sources = await chunks.read(starts.map((start) => chunkId(vehicle, tenSecondLevel, start)))
    let expiresAt = 0
    let positionUntil = 0
    const writes = targets.map(({ level, start, id }): ChunkWrite => {
      const isOfHour = (place: number) => floorTo(start + place * level.width, HOUR) === hour
      return { id, start, before: before.get(id), columns: chunkColumns(before.get(id), start, isOfHour), expiresAt: 0, positionUntil: 0 }
    })
    for (const start of starts) {
      const source = sources.get(chunkId(vehicle, tenSecondLevel, start))
      if (!source) continue
      expiresAt = Math.max(expiresAt, source.expiresAt.getTime())
      positionUntil = Math.max(positionUntil, source.positionUntil?.getTime() ?? 0)
      for (const [name, column] of chunkColumns(source, start, () => false)) {
        for (const [place, summary] of column) {
          const time = start + place * tenSecondLevel.width
          for (const [index, { level, start: target }] of targets.entries()) {
            addSummary(summaryAt((writes[index] as ChunkWrite).columns, name, Math.floor((time - target) / level.width)), summary)
          }
        }
      }
    }
    for (const write of writes) Object.assign(write, untilLatest({ expiresAt, positionUntil }, write.before))
    return await chunks.write(writes) ? { written: writes.map(({ id }) => id), deferred: new Set() } : null
  }

  /** Repeats a rebuild until no other came between, and takes it back when the vehicle was removed meanwhile. */
  const finish = async (vehicle: string, once: () => Promise<Rebuilt | null>): Promise<ReadonlySet<number>> => {
    let rebuilt = await once()
    while (!rebuilt) rebuilt = await once()
    const { written, deferred } = rebuilt
    if (written.length > 0 && !await vehicles.exists({ _id: vehicle })) await chunks.remove(written)
    return deferred
  }

  return {
    /**
     * Rebuilds the 1 s and 10 s buckets of minutes from samples. To a sealed minute it adds what was received since.
     * @returns minutes that are to be rolled again in a minute's time
     */
    minutes: (vehicle: string, minutes: number[]): Promise<ReadonlySet<number>> => finish(vehicle, () => minutesOnce(vehicle, minutes)),

    /** Rebuilds all coarser buckets of an hour from its 10 s buckets. */
    hour: async (vehicle: string, hour: number): Promise<void> => { await finish(vehicle, () => hourOnce(vehicle, hour)) }
  }
}

export type Rebuild = ReturnType<typeof createRebuild>
