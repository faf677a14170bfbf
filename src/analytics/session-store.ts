import { randomUUID } from 'node:crypto'
import type { mongo } from 'mongoose'
import type { Models } from '../models/index.js'
import { duplicateKeyFields } from '../models/store-errors.js'
import type { Dated, StoredSession } from '../models/session.js'
import { ownSessionPrefix } from './judge-activity.js'
import { earliestFields, idleMs, isIdleBetween, type SessionPart } from './sessions.js'

type Sessions = Models['activitySessions']

/** The driver's own collection: the updates are ours, and Mongoose's casting costs more than they do. */
const driverCollection = (sessions: Sessions) => sessions.collection as unknown as mongo.Collection<StoredSession>

/**
 * Adds parts to the stored sessions they belong to, each by one atomic update, so that
 * batches and processes may do it at once. A part that closes the gap between two
 * sessions makes them one. Afterwards no two sessions of a user lie within 30 minutes.
 */
export async function storeParts (sessions: Sessions, parts: SessionPart[]): Promise<void> {
  if (parts.length === 0) return
  await upsertParts(sessions, parts)
  let open = parts.filter((part) => part.groupedBy !== undefined)
  while (open.length > 0) open = await mergeNeighbours(sessions, open)
}

async function upsertParts (sessions: Sessions, parts: SessionPart[]): Promise<void> {
  let operations = parts.map(upsertOf)
  while (operations.length > 0) {
    try {
      await driverCollection(sessions).bulkWrite(operations, { ordered: false })
      return
    } catch (error) {
      // Two processes may make the same named session at once: the one that came second updates it.
      const failed = (error as { writeErrors?: { index: number, code: number }[] }).writeErrors ?? []
      if (duplicateKeyFields(error) === null || failed.some(({ code }) => code !== 11000)) throw error
      operations = failed.flatMap(({ index }) => operations[index] ?? [])
    }
  }
}

function upsertOf (part: SessionPart) {
  const now = new Date()
  const filter = part.session !== undefined
    ? { _id: part.session }
    : { groupedBy: part.groupedBy ?? '', ...reachOf(part) }
  return {
    updateOne: {
      filter,
      update: { ...mergeOf(part, now), $setOnInsert: { ...(part.session === undefined && { _id: `${ownSessionPrefix}${randomUUID()}` }), createdAt: now } },
      upsert: true
    }
  }
}

/** Matches sessions that are no more than 30 minutes away. */
const reachOf = ({ start, end }: Pick<SessionPart, 'start' | 'end'>) => ({
  start: { $lte: new Date(end.getTime() + idleMs) },
  end: { $gte: new Date(start.getTime() - idleMs) }
})

function mergeOf (part: SessionPart, now: Date) {
  const $min: Record<string, Date | Dated> = { start: part.start }
  const $max: Record<string, Date | Dated> = { end: part.end, updatedAt: now }
  for (const field of earliestFields) {
    const value = part[field]
    if (value) $min[field] = value
  }
  if (part.exit) $max.exit = part.exit
  return { $min, $max, $inc: { pageviews: part.pageviews, events: part.events } }
}

/**
 * Joins sessions that have come within 30 minutes of each other. The later one is taken
 * by an atomic delete, so that only one of several processes adds what it held.
 * @returns parts whose neighbourhood has to be looked at again
 */
async function mergeNeighbours (sessions: Sessions, parts: SessionPart[]): Promise<SessionPart[]> {
  const moved: SessionPart[] = []
  for (const [first, second] of await findNeighbours(sessions, parts)) {
    const taken = await sessions.findOneAndDelete({ _id: second._id }).lean<StoredSession>()
    if (!taken) continue
    const { _id, createdAt, updatedAt, ...part } = taken
    const { matchedCount } = await driverCollection(sessions).updateOne({ _id: first._id }, mergeOf(part, new Date()))
    if (matchedCount === 0) await upsertParts(sessions, [part])
    moved.push({ ...part, start: min(first.start, part.start), end: max(first.end, part.end) })
  }
  return moved
}

const min = (a: Date, b: Date) => a < b ? a : b
const max = (a: Date, b: Date) => a > b ? a : b

async function findNeighbours (sessions: Sessions, parts: SessionPart[]): Promise<[StoredSession, StoredSession][]> {
  const found = await sessions.find({
    groupedBy: { $in: [...new Set(parts.map((part) => part.groupedBy ?? ''))] },
    ...reachOf({ start: parts.map((part) => part.start).reduce(min), end: parts.map((part) => part.end).reduce(max) })
  }).sort({ groupedBy: 1, start: 1, _id: 1 }).lean<StoredSession[]>()
  const pairs: [StoredSession, StoredSession][] = []
  for (const [index, second] of found.entries()) {
    const first = found[index - 1]
    if (!first || first.groupedBy !== second.groupedBy || isIdleBetween(first, second)) continue
    pairs.push([first, second])
  }
  return pairs
}
