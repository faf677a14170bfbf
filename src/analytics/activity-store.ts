import type { mongo } from 'mongoose'
import type { Identity } from '../identity/identity.js'
import type { Models } from '../models/index.js'
import type { StoredActivity } from '../models/activity-event.js'
import type { BulkVerdict } from '../schemas/envelope.js'
import { createGroupCommit, type Weighed } from '../telemetry/group-commit.js'
import { judgeActivity } from './judge-activity.js'
import { createSessionJournal } from './session-journal.js'
import { storeParts } from './session-store.js'
import { foldEvents } from './sessions.js'

const typicalBytes = 512
const recoveryMs = 10_000

/** The events of one request on their way to the store. */
interface Batch extends Weighed { events: StoredActivity[], duplicates: number }

export interface ActivityStoreOptions {
  models: Models
  /** Called with the events that were new, once they and their sessions are stored. */
  onStored? (events: StoredActivity[]): void
  /** Called when the background repair of sessions fails. */
  onError (error: unknown): void
  now? (): number
}

export interface ActivityStore {
  /**
   * Judges events one by one and stores the good ones exactly once; resolves when they
   * and their sessions are stored. @throws TOO_MANY_REQUESTS, or the driver's error when
   * the store is away: nothing is lost by sending the same again.
   */
  ingest (identity: Identity, items: readonly unknown[]): Promise<BulkVerdict>
  /** Rebuilds sessions that a crash left behind. */
  recover (): Promise<void>
  /** Resolves when all that was taken in is stored. */
  close (): Promise<void>
}

/** The way of activity into the store: judged, marked, inserted, folded into sessions, unmarked. */
export function createActivityStore (options: ActivityStoreOptions): ActivityStore {
  const { models, onStored, onError, now = Date.now } = options
  const journal = createSessionJournal(models)
  let recoveryDue = false

  const store = async (events: StoredActivity[]): Promise<Set<number>> => {
    const mark = await journal.mark(events)
    try {
      const duplicates = await insertNew(models, events)
      const fresh = duplicates.size === 0 ? events : events.filter((_event, index) => !duplicates.has(index))
      await storeParts(models.activitySessions, foldEvents(fresh))
      onStored?.(fresh)
      await journal.unmark(mark)
      return duplicates
    } catch (error) {
      journal.abandon(mark)
      throw error
    }
  }

  // One group at a time, so recovery within a flush has the sessions to itself.
  const commit = createGroupCommit<Batch>({
    async flush (group) {
      if (recoveryDue) {
        recoveryDue = false
        await journal.recover()
      }
      const events = group.flatMap((batch) => batch.events)
      if (events.length === 0) return
      const duplicates = await store(events)
      let offset = 0
      for (const batch of group) {
        for (let index = 0; index < batch.events.length; index++) if (duplicates.has(offset + index)) batch.duplicates++
        offset += batch.events.length
      }
    }
  })

  const timer = setInterval(() => {
    recoveryDue = true
    commit.add({ events: [], duplicates: 0, documents: 0, bytes: 0 }).catch(onError)
  }, recoveryMs)
  timer.unref()

  return {
    async ingest (identity, items) {
      const verdict: BulkVerdict = { accepted: 0, duplicates: 0, rejected: [] }
      const events: StoredActivity[] = []
      const at = now()
      for (const [index, item] of items.entries()) {
        const judgement = judgeActivity(item, identity, at)
        if ('event' in judgement) events.push(judgement.event)
        else verdict.rejected.push({ index, ...judgement.fault })
      }
      if (events.length === 0) return verdict
      const batch: Batch = { events, duplicates: 0, documents: events.length, bytes: events.length * typicalBytes }
      await commit.add(batch)
      verdict.duplicates = batch.duplicates
      verdict.accepted = events.length - batch.duplicates
      return verdict
    },
    async recover () {
      await journal.recover(true)
    },
    async close () {
      clearInterval(timer)
      await commit.settle()
    }
  }
}

/** Inserts what is not there yet. @returns the indices of events whose id was there already */
async function insertNew (models: Models, events: StoredActivity[]): Promise<Set<number>> {
  try {
    // The driver's own insert: the events are checked, and Mongoose's casting would cost more than the insert.
    const collection = models.activityEvents.collection as unknown as mongo.Collection<StoredActivity>
    await collection.insertMany(events, { ordered: false })
    return new Set()
  } catch (error) {
    const { code, writeErrors } = error as { code?: number, writeErrors?: { index: number, code: number }[] | { index: number, code: number } }
    const faults = Array.isArray(writeErrors) ? writeErrors : writeErrors ? [writeErrors] : []
    if (code !== 11000 || faults.length === 0 || faults.some((fault) => fault.code !== 11000)) throw error
    return new Set(faults.map((fault) => fault.index))
  }
}
