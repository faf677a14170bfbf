import { Binary, Int32, Long } from 'bson'
import { asNumber, isPlainDocument, optionalBoolean, optionalDocument, optionalInteger, requiredString } from '../arguments.js'
import { cursorBatchSize, openCursor } from '../query/cursor-reply.js'
import { IterableSource } from '../query/sources.js'
import { CommandError, ErrorCodes, compileFilter, normalizeCollation, type Document } from '../semantics/index.js'
import type { Collection } from '../storage/collection.js'
import { commandOperation } from '../storage/oplog.js'
import { trimCapped } from '../writes/capped.js'
import { createCollection, dropCollection } from '../writes/collections.js'
import { assertNamespace } from '../names.js'
import { readCappedLimits, readCollMod } from './collection-options.js'
import { assertStatementFields } from './known-fields.js'
import { collectionName, findCollection, runWrite, type CommandContext, type Handler } from './context.js'
import { assertExpiry } from './index-spec.js'
import { isDeepStrictEqual } from 'node:util'

const CREATE_OPTIONS = [
  'capped', 'size', 'max', 'viewOn', 'pipeline', 'collation', 'validator', 'validationLevel', 'validationAction', 'timeseries',
  'clusteredIndex', 'expireAfterSeconds', 'changeStreamPreAndPostImages', 'storageEngine', 'indexOptionDefaults', 'encryptedFields'
]

export const create: Handler = async context => {
  const name = collectionName(context)
  const options = Object.fromEntries(CREATE_OPTIONS.flatMap(option => context.body[option] === undefined ? [] : [[option, context.body[option]]]))
  if (name.startsWith('system.') && name !== 'system.js') throw new CommandError(ErrorCodes.InvalidNamespace, `Invalid system namespace: ${context.db}.${name}`)
  if (isPlainDocument(options.validator)) compileFilter(options.validator)
  normalizeCollation(options.collation)
  readCappedLimits(options)
  if (isPlainDocument(options.clusteredIndex)) options.clusteredIndex = { v: new Int32(2), ...options.clusteredIndex }
  const fields = await runWrite(context, unit => {
    const known = findCollection(context, name)
    if (known !== undefined) {
      if (isDeepStrictEqual(known.options, options)) return {}
      throw new CommandError(ErrorCodes.NamespaceExists, `namespace ${context.db}.${name} already exists, but with different options: ${JSON.stringify(known.options)}`)
    }
    createCollection(context.engine, unit, context.db, name, options)
    return {}
  })
  return { fields }
}

export const drop: Handler = async context => {
  const name = collectionName(context)
  refuseInTransaction(context)
  const fields = await runWrite(context, unit => {
    const collection = findCollection(context, name)
    if (collection === undefined) return {}
    dropCollection(context.engine, unit, collection)
    return { nIndexesWas: new Int32(collection.indexes.length), ns: collection.namespace }
  })
  return { fields }
}

export const dropDatabase: Handler = async context => {
  refuseInTransaction(context)
  const fields = await runWrite(context, unit => {
    const collections = context.engine.catalog.inDatabase(context.db)
    if (collections.length === 0) return {}
    for (const collection of collections) dropCollection(context.engine, unit, collection)
    unit.log(commandOperation(context.db, '', undefined, { dropDatabase: true }))
    return { dropped: context.db }
  })
  return { fields }
}

export const listDatabases: Handler = context => {
  const nameOnly = optionalBoolean(context.body, 'nameOnly') ?? false
  const sizes = new Map<string, number>()
  for (const collection of context.engine.catalog.all()) sizes.set(collection.db, (sizes.get(collection.db) ?? 0) + collection.bytes)
  const filter = optionalDocument(context.body, 'filter')
  const matches = filter === undefined ? () => true : compileFilter(filter)
  const databases = [...sizes].sort(([a], [b]) => a < b ? -1 : 1)
    .map(([name, bytes]) => ({ name, sizeOnDisk: Long.fromNumber(bytes), empty: false }))
    .filter(matches)
  if (nameOnly) return { fields: { databases: databases.map(({ name }) => ({ name })) } }
  const total = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0)
  return { fields: { databases, totalSize: Long.fromNumber(total), totalSizeMb: Long.fromNumber(Math.floor(total / 1048576)) } }
}

export const listCollections: Handler = async context => {
  const nameOnly = optionalBoolean(context.body, 'nameOnly') ?? false
  const filter = optionalDocument(context.body, 'filter')
  const matches = filter === undefined ? () => true : compileFilter(filter)
  const found = context.engine.catalog.inDatabase(context.db).sort((a, b) => a.name < b.name ? -1 : 1).map(describeCollection).filter(matches)
  const shown = nameOnly ? found.map(({ name, type }) => ({ name, type })) : found
  return await openCursor(context, new IterableSource(shown), { namespace: `${context.db}.$cmd.listCollections`, size: cursorBatchSize(context.body) })
}

function describeCollection (collection: Collection): Document {
  const { name, options } = collection
  if (collection.isView) return { name, type: 'view', options, info: { readOnly: true } }
  return {
    name,
    type: options.timeseries === undefined ? 'collection' : 'timeseries',
    options,
    info: { readOnly: false, uuid: new Binary(collection.uuid, Binary.SUBTYPE_UUID) },
    idIndex: collection.idIndex.spec
  }
}

export const renameCollection: Handler = async context => {
  refuseInTransaction(context)
  const from = splitNamespace(context.body.renameCollection)
  const to = splitNamespace(requiredString(context.body, 'to'))
  assertNamespace(to.db, to.name)
  const dropTarget = optionalBoolean(context.body, 'dropTarget') ?? false
  const fields = await runWrite(context, unit => {
    const { catalog } = context.engine
    const collection = catalog.get(from.db, from.name)
    if (collection === undefined) throw new CommandError(ErrorCodes.NamespaceNotFound, `Source collection ${from.db}.${from.name} does not exist`)
    const target = catalog.get(to.db, to.name)
    if (target === collection) throw new CommandError(ErrorCodes.IllegalOperation, "Can't rename a collection to itself")
    if (target !== undefined && !dropTarget) throw new CommandError(ErrorCodes.NamespaceExists, 'target namespace exists')
    if (target !== undefined) dropCollection(context.engine, unit, target)
    catalog.rename(unit.view, collection, to.db, to.name)
    unit.log(commandOperation(from.db, from.name, collection.uuid, {
      rename: true, to: { db: to.db, coll: to.name }, ...(target === undefined ? {} : { dropTarget: new Binary(target.uuid, Binary.SUBTYPE_UUID) })
    }))
    return {}
  })
  return { fields }
}

function splitNamespace (value: unknown): { db: string, name: string } {
  const dot = typeof value === 'string' ? value.indexOf('.') : -1
  if (typeof value !== 'string' || dot < 1) throw new CommandError(ErrorCodes.InvalidNamespace, `Invalid namespace specified '${String(value)}'`)
  return { db: value.slice(0, dot), name: value.slice(dot + 1) }
}

/** Changes of options: TTL and visibility of an index, validation, view definition, pre-images. */
export const collMod: Handler = async context => {
  refuseInTransaction(context)
  const name = collectionName(context)
  const { body } = context
  const fields = await runWrite(context, unit => {
    const collection = context.engine.catalog.get(context.db, name)
    if (collection === undefined) throw new CommandError(ErrorCodes.NamespaceNotFound, `ns does not exist: ${context.db}.${name}`)
    const changes = readCollMod(collection, body)
    const change = optionalDocument(body, 'index')
    const reply = change === undefined ? {} : changeIndex(collection, change)
    collection.options = { ...collection.options, ...changes }
    collection.version++
    if (collection.isCapped) trimCapped(unit, collection)
    context.engine.catalog.save(unit.view, collection)
    unit.log(commandOperation(collection.db, collection.name, collection.uuid, { modify: true, operationDescription: change === undefined ? {} : { index: change } }))
    return reply
  })
  return { fields }
}

const INDEX_CHANGES = new Set(['name', 'keyPattern', 'expireAfterSeconds', 'hidden'])

function changeIndex (collection: Collection, change: Document): Document {
  assertStatementFields('collMod.index', change, INDEX_CHANGES)
  const keyPattern = optionalDocument(change, 'keyPattern')
  const index = collection.indexes.find(({ name, spec }) => keyPattern === undefined
    ? name === change.name
    : JSON.stringify(Object.entries(spec.key as Document).map(([path, value]) => [path, asNumber(value)])) === JSON.stringify(Object.entries(keyPattern).map(([path, value]) => [path, asNumber(value)])))
  if (index === undefined) throw new CommandError(ErrorCodes.IndexNotFound, `cannot find index ${String(change.name ?? JSON.stringify(keyPattern))} for ns ${collection.namespace}`)
  const reply: Document = {}
  const seconds = optionalInteger(change, 'expireAfterSeconds')
  if (seconds !== undefined) {
    if (index === collection.idIndex) throw new CommandError(ErrorCodes.InvalidOptions, 'the _id field does not support TTL indexes')
    assertExpiry(seconds, index.spec.key as Document, ErrorCodes.InvalidOptions)
    if (index.expireAfterSeconds !== undefined) reply.expireAfterSeconds_old = Long.fromNumber(index.expireAfterSeconds)
    reply.expireAfterSeconds_new = Long.fromNumber(seconds)
    index.expireAfterSeconds = seconds
    index.spec = { ...index.spec, expireAfterSeconds: new Int32(seconds) }
  }
  const hidden = optionalBoolean(change, 'hidden')
  if (hidden !== undefined) {
    reply.hidden_old = index.hidden
    reply.hidden_new = hidden
    index.hidden = hidden
    const { hidden: _hidden, ...spec } = index.spec
    index.spec = hidden ? { ...spec, hidden: true } : spec
  }
  return reply
}

/** @throws CommandError 263 */
export function refuseInTransaction (context: CommandContext): void {
  if (context.transaction === undefined) return
  throw new CommandError(ErrorCodes.OperationNotSupportedInTransaction, `Cannot run '${context.name}' in a multi-document transaction.`)
}

export const collStats: Handler = context => {
  const collection = findCollection(context, collectionName(context))
  const count = collection?.count ?? 0
  const bytes = collection?.bytes ?? 0
  return {
    fields: {
      ns: `${context.db}.${collectionName(context)}`,
      size: Long.fromNumber(bytes),
      count: new Int32(count),
      avgObjSize: new Int32(count === 0 ? 0 : Math.round(bytes / count)),
      storageSize: Long.fromNumber(bytes),
      capped: collection?.isCapped ?? false,
      nindexes: new Int32(collection?.indexes.length ?? 0),
      totalIndexSize: Long.ZERO,
      indexSizes: {}
    }
  }
}

export const dbStats: Handler = context => {
  const collections = context.engine.catalog.inDatabase(context.db)
  const sum = (of: (collection: Collection) => number): number => collections.reduce((total, collection) => total + of(collection), 0)
  const [objects, bytes] = [sum(({ count }) => count), sum(({ bytes }) => bytes)]
  return {
    fields: {
      db: context.db,
      collections: new Int32(collections.filter(({ isView }) => !isView).length),
      views: new Int32(collections.filter(({ isView }) => isView).length),
      objects: Long.fromNumber(objects),
      avgObjSize: objects === 0 ? 0 : bytes / objects,
      dataSize: Long.fromNumber(bytes),
      storageSize: Long.fromNumber(bytes),
      indexes: new Int32(sum(({ indexes }) => indexes.length)),
      indexSize: Long.ZERO
    }
  }
}
