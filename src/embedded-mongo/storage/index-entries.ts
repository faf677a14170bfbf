import { ByteWriter, CommandError, compileFilter, extractIndexKeys, isTaken, writeRawKey, type Document } from '../semantics/index.js'
import type { Collection } from './collection.js'
import type { IndexDefinition } from './index-definition.js'
import { ID_BYTES, MAX_ENCODED_BYTES, entryKey, isLongKey } from './keys.js'
import type { NewDocument } from './lazy-document.js'
import type { WriteUnit } from './write-unit.js'

const partialFilters = new WeakMap<Document, (doc: Document) => boolean>()

/** Whether a partial index takes this document; true for any other index. */
export function isIndexed (index: IndexDefinition, doc: Document): boolean {
  if (index.partialFilter === undefined) return true
  let matches = partialFilters.get(index.partialFilter)
  if (matches === undefined) {
    matches = compileFilter(index.partialFilter, index.collation === undefined ? {} : { collation: index.collation })
    partialFilters.set(index.partialFilter, matches)
  }
  return matches(doc)
}

/** The encoded keys a document has in an index; marks the index when they make it multikey or too long. */
export function indexKeys (unit: WriteUnit | undefined, collection: Collection, index: IndexDefinition, doc: Document): Buffer[] {
  if (!index.isSupported || !isIndexed(index, doc)) return []
  const { keys, multikey } = extractIndexKeys(doc, index.spec.key as Document, keyOptions(index))
  if (multikey && index.isHashed) throw new CommandError(16766, `hashed indexes do not currently support array values. Index: ${index.name}`)
  const longKeys = keys.some(isLongKey)
  if ((multikey && !index.multikey) || (longKeys && !index.longKeys)) {
    index.multikey ||= multikey
    index.longKeys ||= longKeys
    unit?.indexChanged(collection)
  }
  return keys
}

/** The keys of a new document's entries in an index, as they are stored. Marks the index as {@link indexKeys} does. */
export function newEntryKeys (unit: WriteUnit | undefined, collection: Collection, index: IndexDefinition, document: NewDocument, recordId: number): Buffer[] {
  const { raw, fields } = document
  if (index.raw !== undefined && fields !== undefined) {
    const scanned = { raw, fields }
    if (!isTaken(scanned, index.raw)) return []
    const writer = ByteWriter.shared()
    writer.uint32(index.id)
    if (writeRawKey(writer, scanned, index.raw) && writer.length <= ID_BYTES + MAX_ENCODED_BYTES) {
      if (!index.unique) writer.uint48(recordId)
      return [writer.copy()]
    }
  }
  return indexKeys(unit, collection, index, document.doc).map(encoded => entryKey(index.id, encoded, index.unique ? undefined : recordId))
}

function keyOptions (index: IndexDefinition): { sparse: boolean, collation?: NonNullable<IndexDefinition['collation']> } {
  return index.collation === undefined ? { sparse: index.sparse } : { sparse: index.sparse, collation: index.collation }
}
