import { createRequire } from 'node:module'
import mongoose, { type mongo } from 'mongoose'
import { AdminError, messageOf } from '../admin-error.js'

const { MongoClient, MongoServerError, MongoServerSelectionError, MongoNetworkError } = mongoose.mongo

export type Side = 'source' | 'target'

/** A list of documents of a command, in bytes as they go over the wire (OP_MSG document sequence). */
export interface DocumentSequence { push (document: object, bytes: Uint8Array): number }
type DocumentSequenceClass = new (field: string) => DocumentSequence

/** Milliseconds to look for a server, unless the address says `serverSelectionTimeoutMS`. */
const SELECTION_TIMEOUT = 10_000

const AUTHENTICATION_FAILED = [18, 8000]
const UNAUTHORIZED = 13
const NAMESPACE_NOT_FOUND = 26

/**
 * The driver's own class for documents that are BSON already. It is what its bulk writes use; its public functions
 * would decode and encode each document, which not every BSON value survives.
 */
const { DocumentSequence: Sequence } = createRequire(createRequire(import.meta.url).resolve('mongoose'))('mongodb/lib/cmap/commands') as { DocumentSequence?: DocumentSequenceClass }

/** Documents to be sent as the command's field `name`, unchanged. */
export function rawSequence (name: string, documents: Iterable<Uint8Array>): DocumentSequence {
  if (Sequence === undefined) throw new AdminError('this version of the mongodb package cannot send documents as they are; use the one in package-lock.json')
  const sequence = new Sequence(name)
  for (const document of documents) sequence.push({}, document)
  return sequence
}

/** Connects to one side of the move. @throws AdminError */
export async function connectTo (side: Side, uri: string): Promise<mongo.MongoClient> {
  const flag = side === 'target' ? '--to' : '--from'
  let client: mongo.MongoClient
  try {
    client = new MongoClient(uri, {
      appName: 'pitwall-admin',
      readConcernLevel: side === 'source' ? 'majority' : 'local',
      ...(!/[?&]serverSelectionTimeoutMS=/i.test(uri) && { serverSelectionTimeoutMS: SELECTION_TIMEOUT })
    })
  } catch (error) {
    throw new AdminError(`${flag} is not a MongoDB address: ${messageOf(error)}`, undefined, { cause: error })
  }
  try {
    await client.connect()
    await client.db('admin').command({ ping: 1 })
    return client
  } catch (error) {
    await client.close()
    throw explainDriverError(side, error)
  }
}

/** The one line that a failure of the driver is to the user; what is already one stays. */
export function explainDriverError (side: Side, error: unknown): Error {
  if (error instanceof AdminError) return error
  const explain = (text: string): AdminError => new AdminError(`${side}: ${text}`, undefined, { cause: error })
  const detail = messageOf(error)
  if (/reports (?:maximum|minimum) wire version/.test(detail)) return explain(`its version of MongoDB does not fit this driver: ${detail}`)
  if (error instanceof MongoServerError && AUTHENTICATION_FAILED.includes(Number(error.code))) return explain(`the login was refused: ${detail}`)
  if (error instanceof MongoServerError && error.code === UNAUTHORIZED) return explain(`this user may not do that: ${detail}`)
  if (error instanceof MongoServerSelectionError) return explain(`no MongoDB answers: ${detail}`)
  if (error instanceof MongoNetworkError) return explain(`the connection was lost: ${detail}`)
  if (error instanceof mongoose.mongo.MongoError) return explain(detail)
  return error instanceof Error ? error : new Error(detail)
}

/** What code a server's error has, also of one that was explained; undefined for any other error. */
export function codeOf (error: unknown): number | undefined {
  const cause = error instanceof AdminError ? error.cause : error
  // Where types are kept exactly, the code is an Int32.
  return cause instanceof MongoServerError ? Number(cause.code) : undefined
}

/** True if the server says that the collection is not there. */
export const isMissing = (error: unknown): boolean => codeOf(error) === NAMESPACE_NOT_FOUND
