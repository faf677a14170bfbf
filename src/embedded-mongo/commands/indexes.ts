import { Int32 } from 'bson'
import { isDeepStrictEqual } from 'node:util'
import { asNumber, isPlainDocument, optionalArray } from '../arguments.js'
import { cursorBatchSize, openCursor } from '../query/cursor-reply.js'
import { IterableSource } from '../query/sources.js'
import { CommandError, ErrorCodes, type Document } from '../semantics/index.js'
import { isSamePattern } from '../planner/choose-plan.js'
import type { Collection } from '../storage/collection.js'
import { buildIndex, forgetIndex, indexExisting } from '../storage/build-index.js'
import { defineIndex, type IndexDefinition } from '../storage/index-definition.js'
import type { WriteUnit } from '../storage/write-unit.js'
import { commandOperation } from '../storage/oplog.js'
import { collectionForWrite } from '../writes/collections.js'
import { collectionName, findCollection, runWrite, type CommandContext, type Handler } from './context.js'
import { refuseInTransaction } from './collections.js'
import { assertRoomForIndex, readIndexSpec } from './index-spec.js'

export const createIndexes: Handler = async context => {
  const name = collectionName(context)
  const requested = optionalArray(context.body, 'indexes') ?? []
  if (requested.length === 0) throw new CommandError(ErrorCodes.BadValue, 'Must specify at least one index to create')
  const { engine } = context
  const added: Added = { created: false, before: 0, building: [] }
  await runWrite(context, unit => {
    addIndexes(context, unit, name, requested, added)
    return {}
  })
  const { collection, building, before, created } = added
  for (const index of building) if (!index.ready) await buildIndex(engine, collection!, index, building, context.interrupt)
  return {
    fields: {
      numIndexesBefore: new Int32(before),
      numIndexesAfter: new Int32(collection!.indexes.length),
      createdCollectionAutomatically: created,
      ...(building.length === 0 ? { note: 'all indexes already exist' } : {})
    }
  }
}

interface Added { created: boolean, before: number, building: IndexDefinition[], collection?: Collection }

/** Adds the indexes that are not there yet to the collection, ready at once if it is empty. */
function addIndexes (context: CommandContext, unit: WriteUnit, name: string, requested: unknown[], added: Added): void {
  const { engine, transaction } = context
  const known = findCollection(context, name)
  if (transaction !== undefined && known !== undefined && transaction.createdCollection(context.db, name) === undefined) {
    throw new CommandError(ErrorCodes.OperationNotSupportedInTransaction, `Cannot create new indexes on existing collection ${context.db}.${name} in a multi-document transaction.`)
  }
  const collection = collectionForWrite(engine, unit, context.db, name, true)!
  Object.assign(added, { created: known === undefined, before: collection.indexes.length, collection })
  for (const wanted of requested) {
    const spec = readIndexSpec(wanted, collection)
    if (findSameIndex(collection, spec) !== undefined) continue
    assertRoomForIndex(collection)
    // What a transaction has written already has no entries in the new index.
    if (transaction === undefined) engine.claims.assertUntouched(collection)
    const index = defineIndex({ id: engine.catalog.takeId(), spec, multikey: false, longKeys: false, ready: transaction !== undefined || collection.count === 0 })
    collection.indexes = [...collection.indexes, index]
    if (transaction !== undefined) indexExisting(unit, collection, index)
    added.building.push(index)
  }
  collection.version++
  if (transaction === undefined) engine.catalog.save(unit.view, collection)
  if (added.building.length > 0) {
    unit.log(commandOperation(context.db, name, collection.uuid, { createIndexes: true, operationDescription: { indexes: added.building.map(({ spec }) => spec) } }))
  }
}

/** The index that is there already. @throws CommandError 85, 86 if one is in the way */
function findSameIndex (collection: Collection, spec: Document): IndexDefinition | undefined {
  const key = spec.key as Document
  for (const index of collection.indexes) {
    const samePattern = isSamePattern(index.spec.key as Document, key)
    const sameOptions = sameIndexOptions(index.spec, spec)
    if (index.name === spec.name) {
      if (samePattern && sameOptions) return index
      const [code, name] = samePattern ? [ErrorCodes.IndexOptionsConflict, 'options'] : [ErrorCodes.IndexKeySpecsConflict, 'key pattern']
      throw new CommandError(code, `An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. Requested index: ${JSON.stringify(spec)}, existing index: ${JSON.stringify(index.spec)} (different ${name})`)
    }
    if (samePattern && isDeepStrictEqual(index.spec.collation, spec.collation) && isDeepStrictEqual(index.spec.partialFilterExpression, spec.partialFilterExpression)) {
      if (Object.keys(key).length === 1 && '_id' in key) return index
      if (index.unique === (spec.unique === true) && index.sparse === (spec.sparse === true)) {
        throw new CommandError(ErrorCodes.IndexOptionsConflict, `Index already exists with a different name: ${index.name}`)
      }
    }
  }
  return undefined
}

function sameIndexOptions (a: Document, b: Document): boolean {
  const significant = ({ v: _v, key: _key, name: _name, background: _background, hidden: _hidden, ...options }: Document): unknown =>
    Object.entries(options).map(([name, value]) => [name, asNumber(value) ?? value]).sort()
  return isDeepStrictEqual(significant(a), significant(b))
}

export const listIndexes: Handler = async context => {
  const name = collectionName(context)
  const collection = findCollection(context, name)
  if (collection === undefined) throw new CommandError(ErrorCodes.NamespaceNotFound, `ns does not exist: ${context.db}.${name}`)
  if (collection.isView) throw new CommandError(ErrorCodes.CommandNotSupportedOnView, `Namespace ${collection.namespace} is a view, not a collection`)
  const specs = collection.indexes.map(({ spec }) => ({ ...spec, v: new Int32(2) }))
  return await openCursor(context, new IterableSource(specs), { namespace: `${context.db}.${name}`, size: cursorBatchSize(context.body) })
}

export const dropIndexes: Handler = async context => {
  refuseInTransaction(context)
  const name = collectionName(context)
  const { index: wanted } = context.body
  const fields = await runWrite(context, unit => {
    const collection = context.engine.catalog.get(context.db, name)
    if (collection === undefined) throw new CommandError(ErrorCodes.NamespaceNotFound, `ns not found ${context.db}.${name}`)
    const before = collection.indexes.length
    const dropped = indexesNamed(collection, wanted)
    forgetIndex(context.engine, unit, collection, dropped)
    if (dropped.length > 0) unit.log(commandOperation(context.db, name, collection.uuid, { dropIndexes: true, operationDescription: { indexes: dropped.map(({ spec }) => spec) } }))
    return { nIndexesWas: new Int32(before) }
  })
  return { fields }
}

function indexesNamed (collection: Collection, wanted: unknown): IndexDefinition[] {
  if (wanted === '*') return collection.indexes.slice(1)
  if (Array.isArray(wanted)) return wanted.flatMap(name => indexesNamed(collection, name))
  const index = collection.indexes.find(({ name, spec }) => isPlainDocument(wanted) ? isSamePattern(spec.key as Document, wanted) : name === wanted)
  if (index === undefined) {
    throw new CommandError(ErrorCodes.IndexNotFound, isPlainDocument(wanted) ? `can't find index with key: ${JSON.stringify(wanted)}` : `index not found with name [${String(wanted)}]`)
  }
  if (index === collection.indexes[0]) throw new CommandError(ErrorCodes.InvalidOptions, 'cannot drop _id index')
  return [index]
}
