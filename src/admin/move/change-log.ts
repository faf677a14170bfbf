import mongoose, { type mongo } from 'mongoose'
import { explainDriverError } from './driver.js'
import type { Namespace } from './namespace.js'
import { asBuffer, exactTypes, findElement, valueBytes, type RawElement } from './raw-document.js'

const { BSON, MongoServerError } = mongoose.mongo

/** Where to go on in the log: behind an event, or at a time. */
export type LogPosition = { resumeAfter: mongo.BSON.Document } | { startAtOperationTime: mongo.BSON.Timestamp }

/** That a document changed, or with no id that collections came, went or changed. */
export interface Change { namespace: Namespace, id?: RawElement }

/** The source's log no longer reaches back to where it was to go on. */
export class HistoryLost extends Error {
  override name = 'HistoryLost'
}

const CURSOR_NOT_FOUND = 43
const HISTORY_LOST = 286
const CHANGE_STREAM_FATAL = 280

/** Changes handed out at once, about: a document that changes often is then written once. */
const MOST = 2_000
/** How long one look into the log waits for news, in milliseconds. */
const WAIT = 10
const BATCH = 500

/** Reads the change stream of the whole deployment as bytes: of each event only what changed matters, not how. */
export class ChangeLog {
  private readonly client: mongo.MongoClient
  private cursor: mongo.AggregationCursor<Uint8Array>
  /** Behind the last event handed out. */
  position: LogPosition
  /** When that happened. */
  time: mongo.BSON.Timestamp | undefined

  private constructor (client: mongo.MongoClient, position: LogPosition) {
    this.client = client
    this.position = position
    this.cursor = this.openCursor()
  }

  /** @throws HistoryLost */
  static async open (client: mongo.MongoClient, position: LogPosition): Promise<ChangeLog> {
    const log = new ChangeLog(client, position)
    await log.read(() => log.cursor.tryNext().then(event => { log.early = event }))
    return log
  }

  private early: Uint8Array | null = null

  /** The next changes; empty when there is none at the moment. @throws HistoryLost */
  async next (): Promise<Change[]> {
    const events: Buffer[] = []
    while (events.length < MOST) {
      const first = this.early ?? await this.read(() => this.cursor.tryNext())
      this.early = null
      if (first === null) break
      events.push(...[first, ...this.cursor.readBufferedDocuments()].map(asBuffer))
    }
    const last = events.at(-1)
    if (last === undefined) return []
    const { _id, clusterTime } = BSON.deserialize(last, exactTypes)
    this.position = { resumeAfter: _id as mongo.BSON.Document }
    this.time = clusterTime as mongo.BSON.Timestamp
    return events.map(toChange)
  }

  async close (): Promise<void> {
    await this.cursor.close()
  }

  private openCursor (): mongo.AggregationCursor<Uint8Array> {
    return this.client.db('admin').aggregate<Uint8Array>([
      { $changeStream: { allChangesForCluster: true, ...this.position } },
      { $project: { operationType: 1, ns: 1, documentKey: 1, clusterTime: 1 } }
    ], { raw: true, maxAwaitTimeMS: WAIT, batchSize: BATCH })
  }

  private async read<T> (task: () => Promise<T>): Promise<T> {
    try {
      return await task()
    } catch (error) {
      const code = error instanceof MongoServerError ? error.code : undefined
      if (code === HISTORY_LOST || code === CHANGE_STREAM_FATAL) throw new HistoryLost()
      if (code !== CURSOR_NOT_FOUND) throw explainDriverError('source', error)
      // Nobody asked for as long as a cursor lives: the position is still known.
      this.cursor = this.openCursor()
      return await task()
    }
  }
}

function toChange (event: Buffer): Change {
  const key = findElement(event, 'documentKey')
  const ns = findElement(event, 'ns')
  const { db, coll } = ns === undefined ? {} : BSON.deserialize(valueBytes(ns)) as { db?: string, coll?: string }
  const namespace = { db: db ?? '', name: coll ?? '' }
  const id = key === undefined ? undefined : findElement(valueBytes(key), '_id')
  return id === undefined ? { namespace } : { namespace, id }
}
