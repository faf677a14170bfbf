import { CommandError, ErrorCodes, compareValues, updateDescription, type CompiledUpdate, type Document } from '../semantics/index.js'
import { toBytes } from '../bytes.js'
import type { Engine } from '../engine.js'
import type { Collection } from '../storage/collection.js'
import type { NewDocument } from '../storage/lazy-document.js'
import { deleteRecord, insertRecord, replaceRecord, StoredDocument } from '../storage/records.js'
import type { WriteUnit } from '../storage/write-unit.js'
import { documentKeyBytes } from './collections.js'
import { assertFitsCapped, trimCapped } from './capped.js'
import { assertDepth, assertSize, prepareDocument } from './prepare-document.js'
import { assertValid } from './validator.js'

const NOTHING = Buffer.alloc(0)

/** Inserts one document: record, index entries and log. Returns its record id. */
export function insertDocument (unit: WriteUnit, collection: Collection, document: NewDocument, bypass: boolean): number {
  const { raw } = document
  assertValid(collection, document, bypass)
  assertFitsCapped(collection, raw)
  const recordId = insertRecord(unit, collection, document)
  unit.log({ kind: 'i', db: collection.db, coll: collection.name, uuid: collection.uuid, wallTime: Date.now(), key: NOTHING, document: raw })
  if (collection.isCapped) trimCapped(unit, collection)
  return recordId
}

/** Applies an update to one document; returns the same document if it changes nothing. */
export function updateDocument (unit: WriteUnit, collection: Collection, stored: StoredDocument, update: CompiledUpdate, bypass: boolean): StoredDocument {
  const before = stored.doc
  const after = update.apply(before, false)
  if (after === before) return stored
  if (compareValues(before._id, after._id) !== 0) {
    throw new CommandError(ErrorCodes.ImmutableField, "Performing an update on the path '_id' would modify the immutable field '_id'")
  }
  const raw = toBytes(after)
  if (raw.equals(stored.raw)) return stored
  assertSize(raw)
  assertDepth(after, raw)
  assertFitsCapped(collection, raw)
  assertValid(collection, { doc: after }, bypass, before)
  const replaced = replaceRecord(unit, collection, stored, after, raw)
  if (collection.isCapped) trimCapped(unit, collection)
  const keepsImages = collection.keepsPreImages
  unit.log({
    kind: update.isReplacement ? 'r' : 'u',
    db: collection.db,
    coll: collection.name,
    uuid: collection.uuid,
    wallTime: Date.now(),
    key: documentKeyBytes(before),
    document: update.isReplacement ? raw : undefined,
    change: update.isReplacement ? undefined : toBytes(updateDescription(before, after) as unknown as Document),
    before: keepsImages ? stored.raw : undefined,
    after: keepsImages ? raw : undefined
  })
  return replaced
}

/** Inserts what an upsert that matched nothing makes. */
export function upsertDocument (engine: Engine, unit: WriteUnit, collection: Collection, update: CompiledUpdate, bypass: boolean): StoredDocument {
  const document = prepareDocument(update.upsertDocument(), engine.oplog.clock)
  return new StoredDocument(insertDocument(unit, collection, document, bypass), document.raw, document.doc)
}

export function deleteDocument (unit: WriteUnit, collection: Collection, stored: StoredDocument): void {
  deleteRecord(unit, collection, stored)
  unit.log({
    kind: 'd',
    db: collection.db,
    coll: collection.name,
    uuid: collection.uuid,
    wallTime: Date.now(),
    key: documentKeyBytes(stored.doc),
    before: collection.keepsPreImages ? stored.raw : undefined
  })
}
