import { randomBytes } from 'node:crypto'
import { Binary, Int32 } from 'bson'
import { isPlainDocument } from '../arguments.js'
import { deserializeDocument, serializeDocument, type Document } from '../semantics/index.js'
import { Collection } from './collection.js'
import { defineIndex, indexRecord, type IndexDefinition, type IndexRecord } from './index-definition.js'
import { KeyCeiling } from './key-ceiling.js'
import { decodeRecordId, idPrefix, prefixEnd } from './keys.js'
import { firstOf, type ReadView, type WriteView } from './view.js'

/** Kinds of catalogue keys: collection by namespace, counters by collection id, ids whose data is still to be erased. */
const COLLECTION = 0x63
const COUNTERS = 0x6e
const ERASE = 0x64
const NEXT_ID = Buffer.from('i')

/** Collections by namespace, in memory and on disk. All changes are made within a commit. */
export class Catalog {
  private readonly collections = new Map<string, Collection>()
  private readonly changedCounters = new Set<Collection>()
  private readonly changedIndexes = new Set<Collection>()
  /** The counters that this commit has changed, as they were when its latest job began. */
  private readonly marked = new Map<Collection, { count: number, bytes: number }>()
  private nextId = 1
  private isIdTaken = false
  private isLoaded = false

  /** Reads everything from disk, forgetting what is in memory; after a commit that failed, too. */
  load (view: ReadView): void {
    const before = new Map([...this.collections.values()].map(collection => [collection.id, collection]))
    this.collections.clear()
    this.changedCounters.clear()
    this.marked.clear()
    const nextId = view.get('catalog', NEXT_ID)
    // Not lower than it was: another job of the commit, or a transaction, may have taken ids.
    this.nextId = Math.max(this.nextId, nextId === undefined ? 1 : nextId.readUInt32BE())
    for (const { value } of view.range('catalog', prefixRange(COLLECTION))) {
      const loaded = readCollection(deserializeDocument(value))
      const known = before.get(loaded.id)
      this.setCeiling(view, loaded, known)
      const isMarked = known !== undefined && keepMarks(loaded.indexes, known.indexes)
      const collection = known === undefined ? loaded : Object.assign(known, { db: loaded.db, name: loaded.name, options: loaded.options, indexes: loaded.indexes, dropped: false })
      if (isMarked) this.changedIndexes.add(collection)
      collection.version++
      const counters = view.get('catalog', counterKey(collection.id))
      collection.count = counters === undefined ? 0 : Number(counters.readBigUInt64BE(0))
      collection.bytes = counters === undefined ? 0 : Number(counters.readBigUInt64BE(8))
      collection.nextRecordId = Math.max(collection.nextRecordId, lastRecordId(view, collection.id) + 1)
      this.collections.set(collection.namespace, collection)
    }
    for (const collection of before.values()) if (this.collections.get(collection.namespace) !== collection) collection.dropped = true
    this.isLoaded = true
  }

  /** Reads the highest `_id` at the start. Later the trees don't tell: a transaction that is open may hold a higher one. */
  private setCeiling (view: ReadView, loaded: Collection, known: Collection | undefined): void {
    const [index] = loaded.indexes
    if (index === undefined || !index.unique) return
    const ceiling = this.isLoaded ? known?.indexes[0]?.ceiling : new KeyCeiling(lastKey(view, 'entries', index.id))
    if (ceiling !== undefined) index.ceiling = ceiling
  }

  get (db: string, name: string): Collection | undefined {
    return this.collections.get(`${db}.${name}`)
  }

  all (): Collection[] {
    return [...this.collections.values()]
  }

  inDatabase (db: string): Collection[] {
    return this.all().filter(collection => collection.db === db)
  }

  /** An id for a collection or an index. */
  takeId (): number {
    this.isIdTaken = true
    return this.nextId++
  }

  /** Makes a collection that is not registered yet: {@link register} does that. */
  build (db: string, name: string, options: Document, uuid = newUuid()): Collection {
    const indexes: IndexDefinition[] = []
    const collection = new Collection({ id: this.takeId(), uuid, db, name, options, indexes })
    if (!collection.isView) {
      const index = defineIndex({ id: this.takeId(), spec: idIndexSpec(options), multikey: false, longKeys: false, ready: true })
      indexes.push(index.unique ? { ...index, ceiling: new KeyCeiling() } : index)
    }
    return collection
  }

  /** An empty collection that is not stored, to plan queries on names that do not exist. */
  placeholder (db: string, name: string): Collection {
    return new Collection({ id: 0, uuid: Buffer.alloc(16), db, name, options: {}, indexes: [] })
  }

  register (view: WriteView, collection: Collection): void {
    this.collections.set(collection.namespace, collection)
    this.save(view, collection)
    this.countersChanged(collection)
  }

  /** Writes the collection's record after its options, name or indexes changed. */
  save (view: WriteView, collection: Collection): void {
    view.put('catalog', collectionKey(collection.namespace), Buffer.from(serializeDocument(writeCollection(collection))))
  }

  remove (view: WriteView, collection: Collection): void {
    this.collections.delete(collection.namespace)
    this.changedCounters.delete(collection)
    view.remove('catalog', collectionKey(collection.namespace))
    view.remove('catalog', counterKey(collection.id))
    collection.dropped = true
    collection.version++
    this.eraseLater(view, 'documents', collection.id)
    for (const index of collection.indexes) this.eraseLater(view, 'entries', index.id)
  }

  rename (view: WriteView, collection: Collection, db: string, name: string): void {
    this.collections.delete(collection.namespace)
    view.remove('catalog', collectionKey(collection.namespace))
    collection.db = db
    collection.name = name
    collection.version++
    this.collections.set(collection.namespace, collection)
    this.save(view, collection)
  }

  countersChanged (collection: Collection): void {
    this.changedCounters.add(collection)
  }

  /** An open transaction has marked an index: the next commit stores that, since later writes rely on the mark. */
  indexesChanged (collection: Collection): void {
    this.changedIndexes.add(collection)
  }

  /** Stores the counters and marks of indexes that changed; called once at the end of each commit. */
  saveChanged (view: WriteView): void {
    for (const collection of this.changedIndexes) if (!collection.dropped) this.save(view, collection)
    this.changedIndexes.clear()
    if (this.isIdTaken) view.put('catalog', NEXT_ID, idPrefix(this.nextId))
    this.isIdTaken = false
    for (const collection of this.changedCounters) if (!collection.dropped) saveCounters(view, collection.id, collection)
    this.changedCounters.clear()
    this.marked.clear()
  }

  /** A job begins: notes the counters that those before it in the commit have changed. */
  markCounters (): void {
    for (const collection of this.changedCounters) this.marked.set(collection, { count: collection.count, bytes: collection.bytes })
  }

  /** Stores the counters noted: the job was undone, but those before it were not. */
  saveMarked (view: WriteView): void {
    for (const [collection, counters] of this.marked) if (view.get('catalog', collectionKey(collection.namespace)) !== undefined) saveCounters(view, collection.id, counters)
  }

  /** Notes that everything under an id is to be erased in the background, also after a restart. */
  eraseLater (view: WriteView, tree: 'documents' | 'entries', id: number): void {
    view.put('catalog', Buffer.concat([Buffer.from([ERASE]), idPrefix(id)]), Buffer.from(tree))
  }

  pendingErasures (view: ReadView): Array<{ tree: 'documents' | 'entries', id: number }> {
    return Array.from(view.range('catalog', prefixRange(ERASE)), ({ key, value }) => {
      const bytes = Buffer.from(key)
      return { tree: Buffer.from(value).toString() === 'documents' ? 'documents' : 'entries', id: bytes.readUInt32BE(1) }
    })
  }

  erased (view: WriteView, id: number): void {
    view.remove('catalog', Buffer.concat([Buffer.from([ERASE]), idPrefix(id)]))
  }
}

/** Open transactions may hold keys that marked an index: the marks in memory stay. True if one is not stored. */
function keepMarks (indexes: IndexDefinition[], known: IndexDefinition[]): boolean {
  let isChanged = false
  for (const index of indexes) {
    const before = known.find(({ id }) => id === index.id)
    if (before === undefined || (before.multikey === index.multikey && before.longKeys === index.longKeys)) continue
    index.multikey ||= before.multikey
    index.longKeys ||= before.longKeys
    isChanged = true
  }
  return isChanged
}

function prefixRange (kind: number): { lower: Buffer, upper: Buffer } {
  return { lower: Buffer.from([kind]), upper: Buffer.from([kind + 1]) }
}

function collectionKey (namespace: string): Buffer {
  return Buffer.concat([Buffer.from([COLLECTION]), Buffer.from(namespace)])
}

function saveCounters (view: WriteView, id: number, { count, bytes }: { count: number, bytes: number }): void {
  const value = Buffer.allocUnsafe(16)
  value.writeBigUInt64BE(BigInt(count), 0)
  value.writeBigUInt64BE(BigInt(bytes), 8)
  view.put('catalog', counterKey(id), value)
}

function counterKey (id: number): Buffer {
  return Buffer.concat([Buffer.from([COUNTERS]), idPrefix(id)])
}

function lastRecordId (view: ReadView, id: number): number {
  const last = lastKey(view, 'documents', id)
  return last === undefined ? 0 : decodeRecordId(last)
}

/** The highest of the keys that begin with an id. */
function lastKey (view: ReadView, tree: 'documents' | 'entries', id: number): Buffer | undefined {
  const prefix = idPrefix(id)
  const last = firstOf(view.range(tree, { lower: prefix, upper: prefixEnd(prefix), reverse: true }))
  return last === undefined ? undefined : Buffer.from(last.key)
}

/** The index every collection has; time series are the ones that may hold an id twice. */
function idIndexSpec ({ collation, clusteredIndex, timeseries }: Document): Document {
  const spec: Document = { v: new Int32(2), key: { _id: new Int32(1) }, name: '_id_' }
  if (isPlainDocument(clusteredIndex)) Object.assign(spec, { name: clusteredIndex.name ?? '_id_', unique: true, clustered: true })
  if (timeseries !== undefined) spec.unique = false
  if (collation !== undefined) spec.collation = collation
  return spec
}

function newUuid (): Buffer {
  const uuid = randomBytes(16)
  uuid[6] = (uuid[6]! & 0x0F) | 0x40
  uuid[8] = (uuid[8]! & 0x3F) | 0x80
  return uuid
}

function writeCollection (collection: Collection): Document {
  return {
    id: collection.id,
    uuid: new Binary(collection.uuid, Binary.SUBTYPE_UUID),
    db: collection.db,
    name: collection.name,
    options: collection.options,
    indexes: collection.indexes.map(indexRecord)
  }
}

function readCollection (stored: Document): Collection {
  const indexes = (stored.indexes as Document[]).map(record => defineIndex({
    id: Number(record.id), spec: record.spec as Document, multikey: record.multikey === true, longKeys: record.longKeys === true, ready: record.ready === true
  } satisfies IndexRecord))
  return new Collection({
    id: Number(stored.id),
    uuid: Buffer.from((stored.uuid as Binary).buffer),
    db: stored.db as string,
    name: stored.name as string,
    options: stored.options as Document,
    indexes
  })
}
