import { setTimeout as delay } from 'node:timers/promises'
import mongoose, { type mongo } from 'mongoose'
import type { HistoryPage, StoredPublication } from '../realtime/broker.js'
import { asToken, compareTokens, decodeToken, encodeToken, type ResumeToken } from './change-cursor.js'
import { withDocument, type FullDocument } from './post-images.js'
import { changePipeline, isDataChange, isHistoryLost, isTokenUnknown, toPublication, type ChangeEvent, type WatchedCollection } from './change-events.js'

/** How long reading back may take, and waiting for this node to see what another has seen, in milliseconds. */
const readingLimit = 10_000
const catchUpLimit = 2000
const readersAtOnce = 4

export interface ChangeHistoryOptions {
  db: mongo.Db
  /** Token of the newest change that was published; undefined while there is none. */
  position (): ResumeToken | undefined
  /** How documents after updates are come by. */
  fullDocument (): FullDocument
}

/** Reads the changes of one channel, which may be one of many of the collection's. */
export type ReadHistory = (watched: WatchedCollection, options: { channel: string, since: string | number, limit: number }) => Promise<HistoryPage>

/**
 * Reads the past of a channel out of the change stream: the changes after a cursor, or
 * from a time on, up to what was published. Few are read at a time.
 */
export function createHistoryReader ({ db, position, fullDocument }: ChangeHistoryOptions): ReadHistory {
  const waiting: (() => void)[] = []
  let readers = 0

  const enter = async () => {
    if (readers >= readersAtOnce) await new Promise<void>((resolve) => waiting.push(resolve))
    else readers++
  }
  const leave = () => {
    const next = waiting.shift()
    if (next) next()
    else readers--
  }

  /** Another node may have published what this one has not seen yet. */
  const reached = async (token: ResumeToken): Promise<ResumeToken | undefined> => {
    const end = Date.now() + catchUpLimit
    for (;;) {
      const head = position()
      if (head && compareTokens(head, token) >= 0) return head
      if (Date.now() > end) return undefined
      await delay(10)
    }
  }

  const readAfter = async (watched: WatchedCollection, channel: string, since: string, limit: number): Promise<HistoryPage> => {
    const token = decodeToken(since)
    if (!token) return lost(position())
    const newest = position()
    if (newest && compareTokens(newest, token) === 0) return { messages: [], complete: true, cursor: since }
    // The server judges the token before anything waits for it.
    const reading = open(db, watched, channel, fullDocument(), { startAfter: token })
    try {
      await reading.tryOpen()
      const head = await reached(token)
      return head ? await reading.collect(head, limit, since) : lost(position())
    } catch (error) {
      if (isHistoryLost(error) || isTokenUnknown(error)) return lost(position())
      throw error
    } finally {
      await reading.close()
    }
  }

  const readFrom = async (watched: WatchedCollection, channel: string, since: number, limit: number): Promise<HistoryPage> => {
    const head = position()
    if (!head) return lost(head)
    if (since > Date.now()) return { messages: [], complete: true, cursor: encodeToken(head) }
    const startAtOperationTime = new mongoose.mongo.Timestamp({ t: Math.floor(since / 1000), i: 1 })
    const reading = open(db, watched, channel, fullDocument(), { startAtOperationTime })
    try {
      return await reading.collect(head, limit, encodeToken(head), since)
    } catch (error) {
      if (isHistoryLost(error)) return lost(head)
      throw error
    } finally {
      await reading.close()
    }
  }

  return async (watched, { channel, since, limit }) => {
    await enter()
    try {
      return await (typeof since === 'number' ? readFrom(watched, channel, since, limit) : readAfter(watched, channel, since, limit))
    } finally {
      leave()
    }
  }
}

const lost = (head: ResumeToken | undefined): HistoryPage =>
  ({ messages: [], complete: false, cursor: head ? encodeToken(head) : '' })

type StartPoint = { startAfter: ResumeToken } | { startAtOperationTime: mongo.Timestamp }

/** A change stream read from a point of the past until it has passed the present. */
function open (db: mongo.Db, watched: WatchedCollection, channel: string, fullDocument: FullDocument, start: StartPoint) {
  const stream = db.watch<mongo.Document, ChangeEvent & mongo.ChangeStreamDocument>(changePipeline([watched.collection]), {
    ...start, fullDocument, batchSize: 500, maxAwaitTimeMS: 20
  })
  let first: ChangeEvent | null | undefined
  const next = async (): Promise<ChangeEvent | null> => {
    if (first === undefined) return await stream.tryNext()
    const event = first
    first = undefined
    return event
  }

  return {
    /** Opens the stream, so that a token is accepted or refused. */
    async tryOpen () { first = await stream.tryNext() },

    /** Messages up to `head`, at most `limit`; `cursor` for a page without any when all were read. */
    async collect (head: ResumeToken, limit: number, since: string, from = 0): Promise<HistoryPage> {
      const messages: StoredPublication[] = []
      const cursor = () => messages.at(-1)?.cursor ?? since
      const end = Date.now() + readingLimit
      let reached: ResumeToken | undefined
      while (messages.length < limit) {
        const event = await next()
        if (event && compareTokens(event._id, head) > 0) break
        // The collection was dropped or renamed here, or the database, whose stream ends: documents went without an event.
        if (event ? !isDataChange(event) : stream.closed) return { messages, complete: false, cursor: cursor() }
        if (event && isDataChange(event)) {
          const message = toPublication(watched, await withDocument(db, watched, event))
          if (message && message.channel === channel && message.ts >= from) messages.push(message)
          continue
        }
        // An empty reply says how far the server has read; no further than the last time, and that was all.
        const passed = asToken(stream.resumeToken)
        if (!passed || compareTokens(passed, head) >= 0 || (reached && compareTokens(passed, reached) === 0)) break
        reached = passed
        if (Date.now() > end) return { messages, complete: false, cursor: cursor() }
      }
      return { messages, complete: true, cursor: messages.length >= limit ? cursor() : encodeToken(head) }
    },

    close: () => stream.close()
  }
}
