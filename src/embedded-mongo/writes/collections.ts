import { CommandError, ErrorCodes, type Document } from '../semantics/index.js'
import { assertNamespace } from '../names.js'
import type { Engine } from '../engine.js'
import { Transaction } from '../sessions/transaction.js'
import type { Collection } from '../storage/collection.js'
import { commandOperation } from '../storage/oplog.js'
import type { WriteUnit } from '../storage/write-unit.js'
import { toBytes } from '../bytes.js'

/** Registers a new collection with the unit and logs it. */
export function createCollection (engine: Engine, unit: WriteUnit, db: string, name: string, options: Document = {}): Collection {
  assertNamespace(db, name)
  const collection = engine.catalog.build(db, name, options)
  if (unit instanceof Transaction) unit.addCollection(collection)
  else engine.catalog.register(unit.view, collection)
  unit.log(commandOperation(db, name, collection.uuid, {
    create: true, operationDescription: { ...options, idIndex: collection.isView ? undefined : collection.idIndex.spec }
  }))
  return collection
}

/** The collection to write to, made if it is not there. @throws CommandError 166 for a view */
export function collectionForWrite (engine: Engine, unit: WriteUnit, db: string, name: string, create: boolean): Collection | undefined {
  const own = unit instanceof Transaction ? unit.createdCollection(db, name) : undefined
  const collection = own ?? engine.catalog.get(db, name)
  if (collection === undefined) return create ? createCollection(engine, unit, db, name) : undefined
  if (collection.isView) throw new CommandError(ErrorCodes.CommandNotSupportedOnView, `Namespace ${db}.${name} is a view, not a collection`)
  if (collection.isCapped && unit instanceof Transaction) {
    throw new CommandError(ErrorCodes.OperationNotSupportedInTransaction, `Collection '${collection.namespace}' is a capped collection. Writes in transactions are not allowed on capped collections.`)
  }
  return collection
}

/** Drops a collection with its indexes. */
export function dropCollection (engine: Engine, unit: WriteUnit, collection: Collection): void {
  engine.catalog.remove(unit.view, collection)
  unit.log(commandOperation(collection.db, collection.name, collection.uuid, { drop: true }))
}

/** `{_id}` of a document as bytes, for the log. */
export function documentKeyBytes (doc: Document): Buffer {
  return toBytes({ _id: doc._id })
}
