import { compareKeys, type ReadView } from './view.js'
import type { Document } from '../semantics/index.js'
import type { Collection } from './collection.js'
import { duplicateKeyError } from './duplicate-key.js'
import type { IndexDefinition } from './index-definition.js'
import { indexKeys, newEntryKeys } from './index-entries.js'
import { decodeRecordId, documentKey, encodeRecordId, entryKey } from './keys.js'
import { LazyDocument, type NewDocument } from './lazy-document.js'
import type { WriteUnit } from './write-unit.js'

/** A document as it is stored. */
export class StoredDocument extends LazyDocument {
  readonly recordId: number

  constructor (recordId: number, raw: Buffer, decoded?: Document) {
    super(raw, decoded)
    this.recordId = recordId
  }
}

export function readRecord (view: ReadView, collection: Collection, recordId: number): StoredDocument | undefined {
  const raw = view.get('documents', documentKey(collection.id, recordId))
  return raw === undefined ? undefined : new StoredDocument(recordId, asBuffer(raw))
}

export function asBuffer (bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** The record that has `encoded` in a unique index. */
export function findUnique (view: ReadView, index: IndexDefinition, encoded: Buffer): number | undefined {
  const value = view.get('entries', entryKey(index.id, encoded))
  return value === undefined ? undefined : decodeRecordId(value)
}

/** Stores a new document and its index entries; returns its record id. @throws CommandError 11000 before anything is written. */
export function insertRecord (unit: WriteUnit, collection: Collection, document: NewDocument): number {
  const { indexes } = collection
  const recordId = collection.nextRecordId
  const entries = indexes.map(index => newEntryKeys(unit, collection, index, document, recordId))
  for (let i = 0; i < indexes.length; i++) if (indexes[i]!.unique) assertNew(unit, collection, indexes[i]!, document, entries[i]!)
  collection.nextRecordId++
  const key = documentKey(collection.id, recordId)
  unit.claimRecord(collection, key)
  unit.view.put('documents', key, document.raw)
  const value = encodeRecordId(recordId)
  for (let i = 0; i < indexes.length; i++) for (const entry of entries[i]!) putEntry(unit, indexes[i]!, entry, value)
  unit.count(collection, 1, document.raw.length)
  return recordId
}

/** No entry of a unique index may be there before. @throws CommandError 11000 */
function assertNew (unit: WriteUnit, collection: Collection, index: IndexDefinition, document: NewDocument, entries: Buffer[]): void {
  for (const entry of entries) {
    unit.claimEntry(entry)
    if (index.ceiling?.isBelow(entry) === true) continue
    if (unit.view.get('entries', entry) === undefined) continue
    const encoded = indexKeys(undefined, collection, index, document.doc).find(key => entryKey(index.id, key).equals(entry))
    throw duplicateKeyError(collection, index, document.doc, encoded!)
  }
}

/** Replaces a stored document, touching only the entries that change. @throws CommandError 11000 before anything is written. */
export function replaceRecord (unit: WriteUnit, collection: Collection, before: StoredDocument, doc: Document, raw: Buffer): StoredDocument {
  const key = documentKey(collection.id, before.recordId)
  unit.claimRecord(collection, key)
  const changes = collection.indexes.flatMap(index => {
    if (isUntouched(index, before.doc, doc)) return []
    const removed = indexKeys(unit, collection, index, before.doc)
    const added = indexKeys(unit, collection, index, doc)
    return [{ index, removed: without(removed, added), added: without(added, removed) }]
  })
  for (const { index, removed, added } of changes) {
    claimEntries(unit, index, removed)
    assertUnique(unit, collection, index, doc, added, before.recordId)
  }
  for (const { index, removed, added } of changes) {
    removeEntries(unit, index, removed, before.recordId)
    putEntries(unit, index, added, before.recordId)
  }
  unit.view.put('documents', key, raw)
  unit.count(collection, 0, raw.length - before.raw.length)
  return new StoredDocument(before.recordId, raw, doc)
}

export function deleteRecord (unit: WriteUnit, collection: Collection, stored: StoredDocument): void {
  const key = documentKey(collection.id, stored.recordId)
  unit.claimRecord(collection, key)
  const entries = collection.indexes.map(index => ({ index, keys: indexKeys(undefined, collection, index, stored.doc) }))
  for (const { index, keys } of entries) claimEntries(unit, index, keys)
  for (const { index, keys } of entries) removeEntries(unit, index, keys, stored.recordId)
  unit.view.remove('documents', key)
  unit.count(collection, -1, -stored.raw.length)
}

/** Adds the entries of a document that was there before the index. @throws CommandError 11000 */
export function indexRecord (unit: WriteUnit, collection: Collection, index: IndexDefinition, stored: StoredDocument): void {
  const keys = indexKeys(unit, collection, index, stored.doc)
  assertUnique(unit, collection, index, stored.doc, keys, stored.recordId)
  putEntries(unit, index, keys, stored.recordId)
}

function assertUnique (unit: WriteUnit, collection: Collection, index: IndexDefinition, doc: Document, keys: Buffer[], recordId: number): void {
  if (!index.unique) return
  for (const encoded of keys) {
    unit.claimEntry(entryKey(index.id, encoded))
    const holder = findUnique(unit.view, index, encoded)
    if (holder !== undefined && holder !== recordId) throw duplicateKeyError(collection, index, doc, encoded)
  }
}

function putEntries (unit: WriteUnit, index: IndexDefinition, keys: Buffer[], recordId: number): void {
  const value = encodeRecordId(recordId)
  for (const encoded of keys) putEntry(unit, index, entryKey(index.id, encoded, index.unique ? undefined : recordId), value)
}

function putEntry (unit: WriteUnit, index: IndexDefinition, entry: Buffer, value: Buffer): void {
  index.ceiling?.raise(entry)
  unit.view.put('entries', entry, value)
}

function removeEntries (unit: WriteUnit, index: IndexDefinition, keys: Buffer[], recordId: number): void {
  for (const encoded of keys) unit.view.remove('entries', entryKey(index.id, encoded, index.unique ? undefined : recordId))
}

/** Every claim is made before anything is written, since a claim that fails must leave nothing behind. */
function claimEntries (unit: WriteUnit, index: IndexDefinition, keys: Buffer[]): void {
  if (!index.unique) return
  for (const encoded of keys) unit.claimEntry(entryKey(index.id, encoded))
}

/** An update shares what it leaves alone, so the same object at the top of each path means the same keys. */
function isUntouched (index: IndexDefinition, before: Document, after: Document): boolean {
  if (index.partialFilter !== undefined) return false
  return index.paths.every(path => {
    const top = path.split('.', 1)[0]!
    return before[top] === after[top]
  })
}

function without (keys: Buffer[], others: Buffer[]): Buffer[] {
  return others.length === 0 ? keys : keys.filter(key => !others.some(other => compareKeys(key, other) === 0))
}
