import type { Catalog } from './catalog.js'
import type { Collection } from './collection.js'
import type { Operation, Oplog } from './oplog.js'
import type { WriteView } from './view.js'

/**
 * What a write goes through: directly into the current commit, or into a transaction that commits later.
 * Everything a write changes beside the trees (counters, log, catalogue) is told here.
 */
export interface WriteUnit {
  readonly view: WriteView
  /** How many operations were logged: tells whether a write changed anything. */
  readonly logged: number
  log: (operation: Operation) => void
  /** Called before a record changes; throws if a transaction stands in the way. */
  claimRecord: (collection: Collection, key: Buffer) => void
  /** Called before an entry of a unique index changes; throws if a transaction stands in the way. */
  claimEntry: (key: Buffer) => void
  count: (collection: Collection, documents: number, bytes: number) => void
  /** An index learned that it is multikey or has long keys. */
  indexChanged: (collection: Collection) => void
}

/** Tells whether a transaction that is still open has changed a key. */
export interface OpenClaims {
  /** Throws WriteConflict-like signals when another transaction holds the key. */
  assertFree: (key: Buffer) => void
  /** Remembers that a key was changed by a commit, for transactions whose snapshot is older. */
  changed: (key: Buffer) => void
}

/** Writes into the commit that is running now. */
export class CommitUnit implements WriteUnit {
  readonly view: WriteView
  logged = 0
  private readonly catalog: Catalog
  private readonly oplog: Oplog
  private readonly claims: OpenClaims

  constructor (view: WriteView, catalog: Catalog, oplog: Oplog, claims: OpenClaims) {
    this.view = view
    this.catalog = catalog
    this.oplog = oplog
    this.claims = claims
  }

  log (operation: Operation): void {
    this.logged++
    this.oplog.append(this.view, operation)
  }

  /** Ends a job: writes what of its log waits to be joined with more. */
  finish (): void {
    this.oplog.finish(this.view)
  }

  claimRecord (_collection: Collection, key: Buffer): void {
    this.claims.assertFree(key)
    this.claims.changed(key)
  }

  claimEntry (key: Buffer): void {
    this.claims.assertFree(key)
    this.claims.changed(key)
  }

  count (collection: Collection, documents: number, bytes: number): void {
    collection.count += documents
    collection.bytes += bytes
    collection.version++
    // The bytes are a statistic: an update alone is not worth another page to be written and flushed.
    if (documents !== 0) this.catalog.countersChanged(collection)
  }

  indexChanged (collection: Collection): void {
    this.catalog.save(this.view, collection)
  }
}
