import { Binary, Long } from 'bson'
import type { Engine } from '../engine.js'
import { CommandError, deserializeDocument, encodeKey, type Document } from '../semantics/index.js'
import { toTimestamp } from '../storage/cluster-time.js'
import { describeCommand, type LoggedOperation, type Operation } from '../storage/oplog.js'
import { findUnique, readRecord } from '../storage/records.js'
import { encodeToken } from './resume-token.js'
import type { StreamOptions } from './stream-options.js'

/** What a stream watches: one collection, one database, or everything. */
export interface StreamScope { db: string | undefined, coll: string | undefined }

/** Events shown only with showExpandedEvents. */
const EXPANDED = new Set(['create', 'createIndexes', 'dropIndexes', 'modify'])
const INTERNAL = new Set(['admin', 'config', 'local', ''])

/** The event an operation is to a stream, or undefined if the stream does not see it. */
export function toEvent (engine: Engine, scope: StreamScope, options: StreamOptions, { position, operation }: LoggedOperation): Document | undefined {
  if (operation.kind === 'n' || !isWatched(scope, operation)) return undefined
  const base: Document = { _id: encodeToken({ position, kind: 'event' }), operationType: '', clusterTime: toTimestamp(position.time) }
  if (options.showExpanded && operation.uuid !== undefined) base.collectionUUID = new Binary(Buffer.from(operation.uuid), Binary.SUBTYPE_UUID)
  base.wallTime = new Date(operation.wallTime)
  if (operation.session !== undefined) Object.assign(base, sessionFields(operation.session))
  return operation.kind === 'c' ? commandEvent(base, options, operation) : documentEvent(engine, base, options, operation)
}

/** Whether an operation ends a stream, once its event has been given. */
export function invalidates (scope: StreamScope, operation: Operation): boolean {
  if (operation.kind !== 'c' || !isWatched(scope, operation)) return false
  const command = describeCommand(operation)
  if (scope.coll !== undefined) return command.drop === true || command.rename === true
  return scope.db !== undefined && command.dropDatabase === true
}

export function invalidateEvent ({ position, operation }: LoggedOperation): Document {
  return {
    _id: encodeToken({ position, kind: 'invalidate' }), operationType: 'invalidate', clusterTime: toTimestamp(position.time), wallTime: new Date(operation.wallTime)
  }
}

function isWatched ({ db, coll }: StreamScope, operation: Operation): boolean {
  if (db === undefined) return !INTERNAL.has(operation.db)
  if (operation.kind === 'c' && coll !== undefined && operation.coll !== coll) {
    const { to } = describeCommand(operation) as { to?: { db: string, coll: string } }
    return to?.db === db && to.coll === coll
  }
  return operation.db === db && (coll === undefined || operation.coll === coll)
}

function sessionFields (session: Buffer): Document {
  const { lsid, txnNumber } = deserializeDocument(session)
  return { lsid, txnNumber: txnNumber instanceof Long ? txnNumber : Long.fromString(String(txnNumber)) }
}

function commandEvent (base: Document, options: StreamOptions, operation: Operation): Document | undefined {
  const { to, operationDescription, dropTarget, ...command } = describeCommand(operation)
  const type = Object.keys(command)[0] ?? ''
  if (EXPANDED.has(type) && !options.showExpanded) return undefined
  const event: Document = { ...base, operationType: type, ns: operation.coll === '' ? { db: operation.db } : { db: operation.db, coll: operation.coll } }
  if (to !== undefined) {
    event.to = to
    if (options.showExpanded) event.operationDescription = dropTarget === undefined ? { to } : { to, dropTarget }
  } else if (options.showExpanded && operationDescription !== undefined) event.operationDescription = operationDescription
  return event
}

function documentEvent (engine: Engine, base: Document, options: StreamOptions, operation: Operation): Document {
  const ns = { db: operation.db, coll: operation.coll }
  switch (operation.kind) {
    case 'i': {
      const fullDocument = deserializeDocument(operation.document!)
      return { ...base, operationType: 'insert', fullDocument, ns, documentKey: { _id: fullDocument._id } }
    }
    case 'r': return withBefore({
      ...base, operationType: 'replace', fullDocument: deserializeDocument(operation.document!), ns, documentKey: deserializeDocument(operation.key)
    }, options, operation)
    case 'd': return withBefore({ ...base, operationType: 'delete', ns, documentKey: deserializeDocument(operation.key) }, options, operation)
    default: {
      const documentKey = deserializeDocument(operation.key)
      const updateDescription = deserializeDocument(operation.change!)
      if (options.showExpanded) updateDescription.disambiguatedPaths ??= {}
      const event: Document = { ...base, operationType: 'update' }
      if (options.fullDocument !== 'default') event.fullDocument = fullDocumentOf(engine, options, operation, documentKey)
      return withBefore({ ...event, ns, documentKey, updateDescription }, options, operation)
    }
  }
}

function fullDocumentOf (engine: Engine, options: StreamOptions, operation: Operation, documentKey: Document): Document | null {
  if (options.fullDocument === 'updateLookup') return lookUp(engine, operation, documentKey)
  if (operation.after !== undefined) return deserializeDocument(operation.after)
  if (options.fullDocument === 'whenAvailable') return null
  throw new CommandError(47, 'Change stream was configured to require a post-image for all update events, but the post-image was not found for event', { errorLabels: ['NonResumableChangeStreamError'] })
}

/** The document as it is now, which may be later than the event; null if it is gone. */
function lookUp (engine: Engine, operation: Operation, documentKey: Document): Document | null {
  const collection = engine.catalog.get(operation.db, operation.coll)
  if (collection === undefined || collection.isView) return null
  const recordId = findUnique(engine.view, collection.idIndex, encodeKey(documentKey._id, collection.idIndex.collation))
  return recordId === undefined ? null : readRecord(engine.view, collection, recordId)?.doc ?? null
}

function withBefore (event: Document, options: StreamOptions, operation: Operation): Document {
  if (options.before === 'off') return event
  if (operation.before !== undefined) return { ...event, fullDocumentBeforeChange: deserializeDocument(operation.before) }
  if (options.before === 'whenAvailable') return { ...event, fullDocumentBeforeChange: null }
  throw new CommandError(47, 'Change stream was configured to require a pre-image for all update, delete and replace events, but the pre-image was not found for event', { errorLabels: ['NonResumableChangeStreamError'] })
}
