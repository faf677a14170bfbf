import mongoose from 'mongoose'
import type { ErrorCode } from '../errors.js'
import type { SampleModel, SampleRecord } from '../models/sample.js'
import { sampleId, type Arrival, type ArrivalClock } from './arrival.js'
import { createDoubtfulSamples } from './doubtful-samples.js'
import { hasPosition } from './position-retention.js'
import type { MinuteMarks } from './rollups/minute-marks.js'
import { decodeValues, encodeValues } from './signal-fields.js'
import type { SignalValue } from './signals.js'

const { MongoBulkWriteError, ObjectId } = mongoose.mongo

/** What became of a sample. */
export type Verdict = 'accepted' | 'duplicate' | { code: ErrorCode, message: string }

/** A sample on its way into the store. */
export interface Sample {
  vehicle: string
  source: string
  /** Epoch milliseconds; the server's choice when `serverStamped`. */
  ts: number
  serverStamped: boolean
  values: Record<string, SignalValue>
  /** When the sensor sent it, epoch milliseconds by the sensor's clock. */
  sentAt?: number | undefined
  verdict?: Verdict
}

/** An instant as it is stored now, with its place in the order of arrival. */
export interface ArrivedSample {
  vehicle: string
  ts: number
  values: Record<string, SignalValue>
  sentAt?: number | undefined
  arrival: Arrival
}

export interface SampleStoreOptions {
  samples: SampleModel
  arrivals: ArrivalClock
  /** Minutes that samples are stored in are marked here before. */
  marks: Pick<MinuteMarks, 'begin' | 'end'>
  /** Epoch milliseconds at which a vehicle's sample that is as old as `time` is to go. */
  expiryOf (vehicle: string, time: number): number
  /** Milliseconds that positions are kept, where that is less than the rest. */
  positionRetention?: number | undefined
}

interface Group {
  key: string
  first: Sample
  /** More than one only for samples of the same instant; a server-stamped one is alone. */
  samples: Sample[]
  values: Record<string, SignalValue>
  /** The document it is written to, and when. */
  id?: string
  arrival?: Arrival
}

type Stored = Pick<SampleRecord, '_id' | 'values'>

/**
 * Stores samples exactly once by (vehicle, source, ts): the same again is a duplicate,
 * more signals for an instant merge, another value for a signal already there is a
 * conflict. A sample the server stamped takes the next free millisecond. Sets each
 * sample's verdict; throws only when the store fails, and then nothing is promised.
 */
export function createSampleStore ({ samples, arrivals, marks, expiryOf, positionRetention }: SampleStoreOptions) {
  const collection = samples.collection
  const doubtful = createDoubtfulSamples(samples)
  /** Last millisecond given to a source, so that the next sample gets a later one. */
  const stamps = new Map<string, number>()

  /** When positions among the values of a sample that is as old as `time` go. */
  const positionExpiry = (values: Record<string, SignalValue>, time: number) =>
    positionRetention !== undefined && hasPosition(values) ? { positionUntil: new Date(time + positionRetention) } : undefined

  const stamp = (sample: Sample, now: number) => {
    const key = `${sample.vehicle}\n${sample.source}`
    sample.ts = Math.max(now, (stamps.get(key) ?? 0) + 1)
    stamps.set(key, sample.ts)
  }

  /** Moves a source's stamp on past samples of its own that are already there. */
  const skipTaken = async ({ vehicle, source, ts }: Sample) => {
    let free = ts
    const taken = collection.find({ vehicle, source, ts: { $gte: new Date(ts) } }, { projection: { _id: 0, ts: 1 }, sort: { vehicle: 1, ts: 1 } })
    for await (const document of taken) {
      if ((document.ts as Date).getTime() > free) break
      free++
    }
    stamps.set(`${vehicle}\n${source}`, free - 1)
  }

  /** Samples of one instant become one document. */
  const gather = (batch: Sample[], now: number): Group[] => {
    const groups = new Map<string, Group>()
    const open = (key: string, sample: Sample) => { groups.set(key, { key, first: sample, samples: [sample], values: sample.values }) }
    for (const sample of batch) {
      if (sample.serverStamped) continue
      const key = keyOf(sample)
      const group = groups.get(key)
      if (group) group.samples.push(sample)
      else open(key, sample)
    }
    for (const sample of batch) {
      if (!sample.serverStamped) continue
      do stamp(sample, now)
      while (groups.has(keyOf(sample)))
      open(keyOf(sample), sample)
    }
    return [...groups.values()]
  }

  /** Judges a group's samples in their order of arrival against what is there, and returns what they add. */
  const judge = (group: Group, existing: Record<string, SignalValue> | null): Record<string, SignalValue> | null => {
    let known = existing
    let added: Record<string, SignalValue> | null = null
    for (const sample of group.samples) {
      if (!known) {
        known = added = sample.values
        sample.verdict = 'accepted'
        continue
      }
      const more = compare(known, sample.values)
      if (more === 'conflict') sample.verdict = conflictVerdict(sample, known)
      else if (more === null) sample.verdict = 'duplicate'
      else {
        sample.verdict = 'accepted'
        known = { ...known, ...more }
        added = { ...added, ...more }
      }
    }
    group.values = known ?? {}
    return added
  }

  /** Inserts new instants. @returns the groups whose instant is already there */
  const insert = async (groups: Group[], now: number): Promise<Set<Group>> => {
    const receivedAt = new Date(now)
    const documents = groups.map((group) => {
      judge(group, null)
      const arrival = group.arrival = arrivals.next(now)
      const { vehicle, source, ts } = group.first
      const _id = group.id = sampleId(vehicle, arrival)
      return { _id, vehicle, source, ts: new Date(ts), receivedAt, values: encodeValues(group.values), expiresAt: new Date(expiryOf(vehicle, Math.max(ts, now))), ...positionExpiry(group.values, Math.max(ts, now)) }
    })
    try {
      await collection.insertMany(documents as never[], { ordered: false })
      return new Set()
    } catch (error) {
      return new Set(collidedIndexes(error).flatMap((index) => groups[index] ?? []))
    }
  }

  const findExisting = async (groups: Group[]): Promise<Map<string, Stored>> => {
    const bySource = new Map<string, Group[]>()
    for (const group of groups) {
      const key = `${group.first.vehicle}\n${group.first.source}`
      const list = bySource.get(key)
      if (list) list.push(group)
      else bySource.set(key, [group])
    }
    const existing = new Map<string, Stored>()
    for (const list of bySource.values()) {
      const { vehicle, source } = (list[0] as Group).first
      const found = collection.find(
        { vehicle, source, ts: { $in: list.map(({ first }) => new Date(first.ts)) } },
        { projection: { ts: 1, values: 1 } })
      for await (const document of found) {
        const record = document as unknown as SampleRecord
        existing.set(keyOf({ vehicle, source, ts: record.ts.getTime() }), { _id: record._id, values: decodeValues(record.values) })
      }
    }
    return existing
  }

  /** Merges into instants already there. @returns those that grew, and those to try again: gone, or changed meanwhile */
  const merge = async (groups: Group[], now: number): Promise<{ grown: Group[], again: Group[] }> => {
    if (groups.length === 0) return { grown: [], again: [] }
    const existing = await findExisting(groups)
    const again: Group[] = []
    const grown: Group[] = []
    const updates: { updateOne: { filter: Record<string, unknown>, update: Record<string, unknown> } }[] = []
    for (const group of groups) {
      const stored = existing.get(group.key)
      const added = stored ? judge(group, stored.values) : null
      if (!stored) again.push(group)
      if (!stored || !added) continue
      group.id = stored._id
      group.arrival = arrivals.next(now)
      const entries = Object.entries(encodeValues(added)).map(([name, value]) => [`values.${name}`, value] as const)
      updates.push({
        updateOne: {
          filter: { _id: stored._id, ...Object.fromEntries(entries.map(([path]) => [path, { $exists: false }])) },
          update: { $set: { ...Object.fromEntries(entries), arrival: new ObjectId(group.arrival), ...positionExpiry(added, Math.max(group.first.ts, now)) } }
        }
      })
      grown.push(group)
    }
    if (updates.length === 0) return { grown, again }
    const { matchedCount } = await collection.bulkWrite(updates, { ordered: false })
    if (matchedCount === updates.length) return { grown, again }
    // Another node merged into the same instants meanwhile: what is not there now is judged anew.
    const missed = new Set(await findMissed(grown))
    return { grown: grown.filter((group) => !missed.has(group)), again: [...again, ...missed] }
  }

  const findMissed = async (groups: Group[]): Promise<Group[]> => {
    const existing = await findExisting(groups)
    return groups.filter((group) => {
      const stored = existing.get(group.key)
      return !stored || compare(stored.values, group.values) !== null
    })
  }

  /** Stores what is new and what instants gained, in minutes that are marked. */
  const write = async (groups: Group[], now: number) => {
    const marked = await marks.begin(groups.map(({ first }) => first))
    let isAnswered = false
    try {
      const collided = await insert(groups, now)
      const merged = await merge([...collided].filter(({ first }) => !first.serverStamped), now)
      isAnswered = true
      return { collided, ...merged }
    } finally {
      marks.end(marked, isAnswered)
    }
  }

  const storeGroups = async (batch: Sample[], now: number, touched: Set<Group>): Promise<Group[]> => {
    const arrived: Group[] = []
    let groups = gather(batch, now)
    while (groups.length > 0) {
      for (const group of groups) touched.add(group)
      const { collided, grown, again } = await write(groups, now)
      arrived.push(...groups.filter((group) => !collided.has(group)), ...grown)
      const restamped = [...collided].map(({ first }) => first).filter(({ serverStamped }) => serverStamped)
      if (restamped[0]) await skipTaken(restamped[0])
      groups = [...again, ...gather(restamped, now)]
    }
    return arrived
  }

  const toArrived = ({ first, values, arrival }: Group): ArrivedSample =>
    ({ vehicle: first.vehicle, ts: first.ts, values, sentAt: first.sentAt, arrival: arrival as Arrival })

  return {
    /** @returns the instants that are new or have grown, in the order of their arrival */
    async store (batch: Sample[], now: number): Promise<ArrivedSample[]> {
      const touched = new Set<Group>()
      try {
        return (await storeGroups(batch, now, touched)).map(toArrived)
      } catch (error) {
        doubtful.add([...touched].flatMap((group) => group.id ? { id: group.id, ...toArrived(group) } : []))
        throw error
      }
    },

    /** True when writes failed without a word on what of them was done. */
    get isInDoubt () { return !doubtful.isEmpty },

    /** What `prepare` makes of those that were stored, in the order of their arrival; to be called before more is stored. @throws when either fails: then the doubts stay */
    resolveDoubts: doubtful.resolve,

    /** Forgets stamps that the clock has passed. */
    forgetStamps (now: number): void {
      for (const [key, ts] of stamps) if (ts < now) stamps.delete(key)
    }
  }
}

export type SampleStore = ReturnType<typeof createSampleStore>

const keyOf = ({ vehicle, source, ts }: Pick<Sample, 'vehicle' | 'source' | 'ts'>) => `${vehicle}\n${source}\n${ts}`

/** What `given` has and `known` has not; null for nothing. */
function compare (known: Record<string, SignalValue>, given: Record<string, SignalValue>): Record<string, SignalValue> | null | 'conflict' {
  let more: Record<string, SignalValue> | null = null
  for (const name in given) {
    const value = given[name] as SignalValue
    const before = known[name]
    if (before === undefined) (more ??= {})[name] = value
    else if (before !== value) return 'conflict'
  }
  return more
}

function conflictVerdict (sample: Sample, known: Record<string, SignalValue>): Verdict {
  const name = Object.keys(sample.values).find((signal) => known[signal] !== undefined && known[signal] !== sample.values[signal])
  return { code: 'CONFLICT', message: `${name} already has another value at ${new Date(sample.ts).toISOString()}` }
}

/** Indexes of the documents that a unique key stopped; any other failure is thrown on. */
function collidedIndexes (error: unknown): number[] {
  if (!(error instanceof MongoBulkWriteError)) throw error
  const failures = [error.writeErrors].flat()
  if (failures.length === 0 || failures.some(({ code }) => code !== 11000)) throw error
  return failures.map(({ index }) => index)
}
