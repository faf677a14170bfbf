import type { Authentication } from '../access/authentication.js'
import type { ScramCredentials } from '../access/scram.js'
import { CommandError, ErrorCodes, normalizeCollation, type Collation, type Document } from '../semantics/index.js'
import { optionalDocument } from '../arguments.js'
import { assertNamespace } from '../names.js'
import type { Engine } from '../engine.js'
import type { Interrupt } from '../interrupt.js'
import type { Session } from '../sessions/sessions.js'
import type { Transaction } from '../sessions/transaction.js'
import type { ClusterTime } from '../storage/cluster-time.js'
import type { Collection } from '../storage/collection.js'
import type { ReadView } from '../storage/view.js'
import type { WriteUnit } from '../storage/write-unit.js'

export interface ServerInfo {
  /** What `hello` gives as host on this listener: `127.0.0.1:27017` or a socket's path. */
  address: string
  /** The login that this listener asks for; undefined for none. */
  credentials?: ScramCredentials | undefined
}

/** One command being run. */
export interface CommandContext {
  engine: Engine
  server: ServerInfo
  connectionId: number
  authentication: Authentication
  name: string
  db: string
  body: Document
  /** The body's bytes and the document sequences that came with it. */
  raw: Buffer
  sequences: Map<string, Buffer[]>
  session: Session | undefined
  txnNumber: bigint | undefined
  transaction: Transaction | undefined
  /** The past state that a snapshot session reads. */
  snapshot: { time: ClusterTime, view: ReadView } | undefined
  interrupt: Interrupt
}

/** A reply's fields, without `ok`; documents that are BSON already go into `cursor`. */
export interface Reply {
  fields: Document
  cursor?: { field: 'firstBatch' | 'nextBatch', documents: Buffer[], rest: Document }
}

export type Handler = (context: CommandContext) => Promise<Reply> | Reply

/** What the context reads through. */
export function viewOf (context: CommandContext): ReadView {
  return context.transaction?.view ?? context.snapshot?.view ?? context.engine.view
}

/** The collection a command names, also one made by its own transaction. */
export function findCollection (context: CommandContext, name: string, db = context.db): Collection | undefined {
  return context.transaction?.createdCollection(db, name) ?? context.engine.catalog.get(db, name)
}

/** The command's collection name. @throws CommandError 73 */
export function collectionName (context: CommandContext, value: unknown = context.body[context.name]): string {
  if (typeof value !== 'string') {
    throw new CommandError(ErrorCodes.InvalidNamespace, `collection name has invalid type for command ${context.name}`)
  }
  assertNamespace(context.db, value)
  return value
}

/** The collation a query runs with: its own, else the collection's. */
export function collationOf (args: Document, collection: Collection | undefined): Collation | undefined {
  const own = optionalDocument(args, 'collation')
  if (own !== undefined && Object.keys(own).length > 0) return normalizeCollation(own)
  return collection?.collation?.locale === 'simple' ? undefined : collection?.collation
}

/**
 * Runs a write: inside the transaction if there is one, else as a commit. With a transaction number of its own the write
 * is retryable: its reply is stored with what it wrote, and given again when the same number comes again. One that changed
 * nothing is not stored, and simply tried again.
 */
export async function runWrite (context: CommandContext, job: (unit: WriteUnit) => Document): Promise<Document> {
  const { engine, transaction, session, txnNumber } = context
  if (transaction !== undefined) return job(transaction)
  return await engine.commit(unit => {
    if (session === undefined || txnNumber === undefined) return job(unit)
    const earlier = engine.sessions.findRetry(unit.view, session, txnNumber)
    if (earlier !== undefined) return { ...earlier, retriedStmtIds: undefined }
    const { logged } = unit
    const reply = job(unit)
    if (unit.logged > logged) engine.sessions.saveRetry(unit.view, session, txnNumber, reply)
    return reply
  }, false, context.interrupt)
}
