import mongoose, { type mongo } from 'mongoose'
import type { StoredPublication } from '../realtime/broker.js'
import { encodeToken, type ResumeToken } from './change-cursor.js'
import type { DocumentChange } from './document-collection.js'
import { toPublic, type PublicDocument, type StoredDocument } from './public-document.js'

/** A collection whose changes subscribers of a channel get. */
export interface WatchedCollection {
  /** The channel, or the prefix of many with its colon. */
  channel: string
  /** Full name of the channel that a change of a document belongs to, where `channel` is a prefix; undefined to publish nothing. */
  channelOf?: (change: DocumentChange) => string | undefined
  /** Its name in MongoDB. */
  collection: string
  /** How a document is shown in `{action, id, document}`; toPublic by default. */
  toDocument?: (stored: StoredDocument) => PublicDocument
  /** The channel's whole `data`, where it is not `{action, id, document}`. */
  toData?: (change: DocumentChange) => unknown
  /** Only insertions matter: no images of changed documents are kept. */
  insertsOnly?: boolean
}

const actions = { insert: 'created', update: 'updated', replace: 'updated', delete: 'deleted' } as const

/** What removes documents without an event for each: a collection gone or renamed, a database dropped. */
type Upheaval = 'drop' | 'rename' | 'dropDatabase' | 'invalidate'

/** What is read of a change event; the rest is not even sent. */
export interface ChangeEvent {
  _id: ResumeToken
  operationType: keyof typeof actions | Upheaval
  ns?: { coll: string }
  /** New name of a renamed collection. */
  to?: { coll: string }
  documentKey?: { _id: unknown }
  fullDocument?: StoredDocument | null
  clusterTime?: mongo.Timestamp
  wallTime?: Date
}

/** An event that changed a document. */
export type DataChange = ChangeEvent & { operationType: keyof typeof actions, ns: { coll: string }, documentKey: { _id: unknown } }

export const isDataChange = (event: ChangeEvent): event is DataChange => event.operationType in actions

/** True for an event after which nobody can tell what became of a collection's documents. */
export const isUpheavalOf = (event: ChangeEvent, collection: string): boolean =>
  !isDataChange(event) && (event.ns?.coll === undefined || event.ns.coll === collection || event.to?.coll === collection)

/** Pipeline that leaves what happens to the collections, without the description of updates. */
export const changePipeline = (collections: string[]): mongo.Document[] => [
  {
    $match: {
      $or: [
        { operationType: { $in: [...Object.keys(actions), 'drop', 'rename'] }, 'ns.coll': { $in: collections } },
        { operationType: 'rename', 'to.coll': { $in: collections } },
        { operationType: { $in: ['dropDatabase', 'invalidate'] } }
      ]
    }
  },
  { $project: { operationType: 1, ns: 1, to: 1, documentKey: 1, fullDocument: 1, clusterTime: 1, wallTime: 1 } }
]

/** The data subscribers get for a change. */
export function toChannelData (watched: WatchedCollection, change: DocumentChange): unknown {
  if (watched.toData) return watched.toData(change)
  const { action, id, stored } = change
  // A document deleted since its update is not there to be looked up; its deletion follows.
  return { action, id, ...(stored && { document: (watched.toDocument ?? toPublic)(stored) }) }
}

/** The channel of a change; undefined when it is published nowhere. */
export const channelOfChange = (watched: WatchedCollection, change: DocumentChange): string | undefined =>
  watched.channelOf ? watched.channelOf(change) : watched.channel

/** The message that a change event becomes, with its resume token as cursor; null for one that is published nowhere. */
export function toPublication (watched: WatchedCollection, event: DataChange): StoredPublication | null {
  const change: DocumentChange = {
    action: actions[event.operationType],
    id: String(event.documentKey._id),
    ...(event.fullDocument && { stored: event.fullDocument })
  }
  const channel = channelOfChange(watched, change)
  return channel === undefined ? null : { channel, data: toChannelData(watched, change), ts: timeOf(event), cursor: encodeToken(event._id) }
}

/** Epoch milliseconds; whole seconds from a server without `wallTime` (before MongoDB 6). */
const timeOf = ({ wallTime, clusterTime }: ChangeEvent): number =>
  wallTime?.getTime() ?? (clusterTime ? clusterTime.getHighBitsUnsigned() * 1000 : Date.now())

const { MongoServerError } = mongoose.mongo

const errorCode = (error: unknown) => error instanceof MongoServerError ? Number(error.code) : undefined

/** Standalone servers answer change streams with 40573. */
export const isStandalone = (error: unknown): boolean => errorCode(error) === 40573

/** ChangeStreamHistoryLost, InvalidResumeToken, ChangeStreamFatalError: the oplog no longer has, or never had, the place. */
export const isHistoryLost = (error: unknown): boolean => [286, 260, 280].includes(errorCode(error) ?? 0)

/** BadValue, TypeMismatch, FailedToParse and the token parsers' codes: a token of another deployment or version. */
export function isTokenUnknown (error: unknown): boolean {
  const code = errorCode(error) ?? 0
  return [2, 9, 14, 40647, 40649, 50788].includes(code) || (code >= 50804 && code <= 50840)
}
