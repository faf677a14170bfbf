import type { RollupMarkModel, RollupMarkRecord } from '../../models/rollup-mark.js'
import { duplicateKeyFields } from '../../models/store-errors.js'
import { floorTo, HOUR, MINUTE, tenSecondLevel } from './levels.js'

/**
 * Age at which any node may take a mark over, in milliseconds. Nodes in use renew theirs
 * each minute, so that clocks may be some minutes apart.
 */
const TAKEOVER_AFTER = 5 * MINUTE

/** When a mark of a minute made now may be taken over: not before its node rolls it at the latest. */
export const dueAfter = (time: number, minute: number): Date =>
  new Date(Math.max(time, floorTo(minute, tenSecondLevel.span) + tenSecondLevel.span) + TAKEOVER_AFTER)

// The kind comes before the time: a range of one kind is a range of ids.
const minuteKind = '1'
const hourKind = '2'

const markId = (vehicle: string, kind: string, start: number) => `${vehicle} ${kind} ${new Date(start).toISOString()}`

/** Id of a node's mark of a minute. */
export const minuteMarkId = (vehicle: string, minute: number, node: string): string => `${markId(vehicle, minuteKind, minute)} ${node}`

/** Id of the mark of an hour, which all nodes share. */
export const hourMarkId = (vehicle: string, hour: number): string => markId(vehicle, hourKind, hour)

/** A mark with what its id says. */
export interface FoundMark { id: string, token: string, vehicle: string, isHour: boolean, start: number }

/** What a mark's id says, or null for an id that is none. */
export function parseMarkId (id: string): { vehicle: string, isHour: boolean, start: number } | null {
  const [vehicle = '', kind, time = ''] = id.split(' ')
  return kind === minuteKind || kind === hourKind ? { vehicle, isHour: kind === hourKind, start: Date.parse(time) } : null
}

/** Stores marks, new or anew. */
export async function writeMarks (marks: RollupMarkModel, written: (Omit<RollupMarkRecord, '_id'> & { id: string })[]): Promise<void> {
  const operations = written.map(({ id, ...mark }) => ({
    updateOne: { filter: { _id: id }, update: { $set: mark }, upsert: true }
  }))
  try {
    await marks.collection.bulkWrite(operations as never, { ordered: false })
  } catch (error) {
    // Two nodes may both try to insert one mark; the loser finds it there.
    if (!duplicateKeyFields(error)) throw error
    await marks.collection.bulkWrite(operations as never, { ordered: false })
  }
}

/** Stores marks that are most likely new: inserting takes a fraction of what an update does. */
export async function insertMarks (marks: RollupMarkModel, inserted: { id: string, token: string, due: Date }[]): Promise<void> {
  try {
    await marks.collection.insertMany(inserted.map(({ id, ...mark }) => ({ _id: id as never, ...mark })), { ordered: false })
  } catch (error) {
    // One that was forgotten is still there.
    if (!duplicateKeyFields(error)) throw error
    await writeMarks(marks, inserted)
  }
}

/** Removes marks that still carry the token. @returns when done; one that was stored anew stays */
export async function removeMarks (marks: RollupMarkModel, removed: { id: string, token: string }[]): Promise<void> {
  if (removed.length === 0) return
  await marks.collection.bulkWrite(removed.map(({ id, token }) => ({ deleteOne: { filter: { _id: id, token } } })) as never, { ordered: false })
}

/** True when any node marked a minute of the range. */
export async function hasMinuteMarks (marks: RollupMarkModel, vehicle: string, from: number, to: number): Promise<boolean> {
  const found = await marks.collection.findOne({ _id: { $gte: markId(vehicle, minuteKind, from), $lt: markId(vehicle, minuteKind, to) } as never }, { projection: { _id: 1 } })
  return found !== null
}

const parseMarks = (found: Pick<RollupMarkRecord, '_id' | 'token'>[], isHour: boolean): FoundMark[] =>
  found.flatMap(({ _id: id, token }) => {
    const parsed = parseMarkId(id)
    return parsed?.isHour === isHour ? [{ id, token, ...parsed }] : []
  })

/** All hours that are marked. */
export const findHours = async (marks: RollupMarkModel): Promise<FoundMark[]> => parseMarks(await marks.find({}, { token: 1 }).lean(), true)

/** Marked minutes of nodes that did not stop in order. */
export const findUnfinished = async (marks: RollupMarkModel): Promise<FoundMark[]> => parseMarks(await marks.find({ clean: { $ne: true } }, { token: 1 }).lean(), false)

/** Marked minutes and hours that meet a range of time. */
export async function findDirty (marks: RollupMarkModel, vehicle: string, from: number, to: number): Promise<{ minutes: Set<number>, hours: Set<number> }> {
  const read = async (kind: string, unit: number) => {
    const first = Math.floor(from / unit) * unit
    const found = await marks.collection.find<Pick<RollupMarkRecord, '_id'>>(
      { _id: { $gte: markId(vehicle, kind, first), $lt: markId(vehicle, kind, to) } as never },
      { projection: { _id: 1 } }).toArray()
    return new Set(found.map(({ _id }) => parseMarkId(_id)?.start ?? 0))
  }
  // Minutes first: the mark of an hour is stored before those of its minutes go.
  const minutes = await read(minuteKind, MINUTE)
  const hours = await read(hourKind, HOUR)
  for (const minute of minutes) hours.add(Math.floor(minute / HOUR) * HOUR)
  return { minutes, hours }
}
