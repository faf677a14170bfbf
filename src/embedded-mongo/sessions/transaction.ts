import { CommandError, ErrorCodes } from '../semantics/index.js'
import type { Catalog } from '../storage/catalog.js'
import type { Collection } from '../storage/collection.js'
import type { Operation, Oplog } from '../storage/oplog.js'
import type { WriteView } from '../storage/view.js'
import type { WriteUnit } from '../storage/write-unit.js'
import type { ClaimHolder, Claims } from './claims.js'
import type { TransactionView } from './transaction-view.js'

export type TransactionState = 'open' | 'committed' | 'aborted'

/** One multi-document transaction: a snapshot, its changes over it, and what is to be logged. */
export class Transaction implements WriteUnit, ClaimHolder {
  readonly number: bigint
  readonly view: TransactionView
  readonly startedAt: number
  readonly ended: Promise<void>
  readonly expiresAt: number
  state: TransactionState = 'open'
  private markEnded: () => void = () => {}
  private readonly claims: Claims
  private readonly catalog: Catalog
  private readonly session: Buffer
  private readonly operations: Operation[] = []
  private readonly counts = new Map<Collection, { documents: number, bytes: number }>()
  private readonly created = new Map<string, Collection>()

  constructor (fields: { number: bigint, view: TransactionView, claims: Claims, catalog: Catalog, session: Buffer, lifetimeMS: number }) {
    this.number = fields.number
    this.view = fields.view
    this.claims = fields.claims
    this.catalog = fields.catalog
    this.session = fields.session
    this.startedAt = fields.claims.now
    this.expiresAt = Date.now() + fields.lifetimeMS
    this.ended = new Promise(resolve => { this.markEnded = resolve })
    this.claims.begin(this)
  }

  get logged (): number {
    return this.operations.length
  }

  log (operation: Operation): void {
    this.operations.push({ ...operation, session: this.session })
  }

  claimRecord (_collection: Collection, key: Buffer): void {
    this.claims.claim(this, key)
  }

  claimEntry (key: Buffer): void {
    this.claims.claim(this, key)
  }

  count (collection: Collection, documents: number, bytes: number): void {
    const counts = this.counts.get(collection) ?? { documents: 0, bytes: 0 }
    counts.documents += documents
    counts.bytes += bytes
    this.counts.set(collection, counts)
  }

  touches (collection: Collection): boolean {
    return this.counts.has(collection)
  }

  indexChanged (collection: Collection): void {
    // One made inside this transaction is stored with it.
    if (this.created.get(collection.namespace) !== collection) this.catalog.indexesChanged(collection)
  }

  /** A collection made inside this transaction; others see it after the commit. */
  addCollection (collection: Collection): void {
    this.created.set(collection.namespace, collection)
  }

  createdCollection (db: string, name: string): Collection | undefined {
    return this.created.get(`${db}.${name}`)
  }

  get hasWrites (): boolean {
    return this.operations.length > 0 || this.created.size > 0
  }

  /** Writes everything, inside a commit; all operations carry one time. */
  apply (target: WriteView, oplog: Oplog): void {
    const { catalog } = this
    for (const collection of this.created.values()) catalog.register(target, collection)
    this.view.applyTo(target)
    for (const [collection, counts] of this.counts) {
      collection.count += counts.documents
      collection.bytes += counts.bytes
      collection.version++
      catalog.countersChanged(collection)
    }
    const time = oplog.clock.tick()
    this.operations.forEach((operation, index) => oplog.appendAt(target, { time, index }, operation))
    this.claims.commit(this)
  }

  /** Ends the transaction and lets go of its snapshot and claims. */
  finish (state: 'committed' | 'aborted'): void {
    if (this.state !== 'open') return
    this.state = state
    this.claims.end(this)
    this.view.end(() => noSuchTransaction(this.number))
    this.markEnded()
  }
}

export function noSuchTransaction (number: bigint): CommandError {
  return new CommandError(ErrorCodes.NoSuchTransaction, `Given transaction number ${number} does not match any in-progress transactions.`, { errorLabels: ['TransientTransactionError'] })
}
