import { isPlainDocument, optionalDocument } from '../arguments.js'
import type { CommandContext } from '../commands/context.js'
import { DocumentReader } from '../query/read-documents.js'
import { CommandError, ErrorCodes, compileUpdate, type Document } from '../semantics/index.js'
import type { WriteUnit } from '../storage/write-unit.js'
import { insertDocument, updateDocument } from './apply.js'
import { collectionForWrite } from './collections.js'
import { prepareDocument } from './prepare-document.js'

export interface MergeSpec {
  db: string
  coll: string
  on: string[]
  whenMatched: 'replace' | 'keepExisting' | 'merge' | 'fail' | Document[]
  whenNotMatched: 'insert' | 'discard' | 'fail'
  let: Document | undefined
}

/** Reads `$merge`. @throws CommandError 51183 if nothing makes the `on` fields unique */
export function readMerge (context: CommandContext, spec: unknown): MergeSpec {
  const given: Document = typeof spec === 'string' ? { into: spec } : isPlainDocument(spec) ? spec : {}
  const { into, on = '_id', whenMatched = 'merge', whenNotMatched = 'insert' } = given
  const coll = typeof into === 'string' ? into : isPlainDocument(into) && typeof into.coll === 'string' ? into.coll : undefined
  if (coll === undefined) throw new CommandError(51178, "$merge requires an 'into' collection")
  const db = isPlainDocument(into) && typeof into.db === 'string' ? into.db : context.db
  const fields = (Array.isArray(on) ? on : [on]).map(String)
  const collection = context.engine.catalog.get(db, coll)
  const isUnique = fields.join() === '_id' || collection?.indexes.some(index => index.unique && index.partialFilter === undefined && [...index.paths].sort().join() === [...fields].sort().join()) === true
  if (!isUnique) throw new CommandError(51183, 'Cannot find index to verify that join fields will be unique')
  if (!Array.isArray(whenMatched) && !['replace', 'keepExisting', 'merge', 'fail'].includes(whenMatched as string)) {
    throw new CommandError(ErrorCodes.BadValue, `Enumeration value '${String(whenMatched)}' for field '$merge.whenMatched' is not a valid value.`)
  }
  if (!['insert', 'discard', 'fail'].includes(whenNotMatched as string)) {
    throw new CommandError(ErrorCodes.BadValue, `Enumeration value '${String(whenNotMatched)}' for field '$merge.whenNotMatched' is not a valid value.`)
  }
  return {
    db,
    coll,
    on: fields,
    whenMatched: whenMatched as MergeSpec['whenMatched'],
    whenNotMatched: whenNotMatched as MergeSpec['whenNotMatched'],
    let: optionalDocument(given, 'let')
  }
}

/** Merges documents into a collection, in one commit. */
export async function mergeDocuments (context: CommandContext, merge: MergeSpec, documents: Document[]): Promise<void> {
  let at = 0
  await context.engine.commit(unit => {
    for (; at < documents.length; at++) mergeOne(context, unit, merge, prepareDocument(documents[at]!, context.engine.oplog.clock).doc)
  })
}

function mergeOne (context: CommandContext, unit: WriteUnit, merge: MergeSpec, doc: Document): void {
  const { engine } = context
  const collection = collectionForWrite(engine, unit, merge.db, merge.coll, true)!
  const filter = Object.fromEntries(merge.on.map(path => [path, { $eq: valueAt(doc, path) }]))
  const [found] = new DocumentReader(unit.view, collection, { filter, collation: collection.collation, limit: 1 }).all()
  if (found === undefined) {
    if (merge.whenNotMatched === 'fail') throw new CommandError(13113, '$merge could not find a matching document in the target collection for at least one document in the source collection')
    if (merge.whenNotMatched === 'insert') insertDocument(unit, collection, prepareDocument(doc, engine.oplog.clock), false)
    return
  }
  if (merge.whenMatched === 'keepExisting') return
  if (merge.whenMatched === 'fail') throw new CommandError(ErrorCodes.DuplicateKey, `E11000 duplicate key error collection: ${collection.namespace} index: _id_ dup key: { _id: ${String(found.doc._id)} }`, { details: { keyPattern: { _id: 1 }, keyValue: { _id: found.doc._id } } })
  const { _id, ...rest } = doc
  const update = Array.isArray(merge.whenMatched)
    ? compileUpdate(merge.whenMatched, { filter, let: { ...merge.let, new: { $literal: doc } } })
    : merge.whenMatched === 'replace'
      ? compileUpdate({ _id: found.doc._id, ...rest }, { filter })
      : compileUpdate({ $set: merge.on.includes('_id') ? rest : doc }, { filter })
  updateDocument(unit, collection, found, update, false)
}

function valueAt (doc: Document, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => isPlainDocument(value) ? value[name] : undefined, doc) ?? null
}
