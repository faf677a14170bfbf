import type { Collation, CompiledUpdate, Document } from '../semantics/index.js'
import { CommandError, ErrorCodes, compileFilter, compileUpdate } from '../semantics/index.js'
import { collationOf } from '../commands/context.js'
import type { Engine } from '../engine.js'
import type { Interrupt } from '../interrupt.js'
import { filterOptions, type Query } from '../query/read-documents.js'
import type { Collection } from '../storage/collection.js'
import type { NewDocument } from '../storage/lazy-document.js'
import type { StoredDocument } from '../storage/records.js'
import type { WriteUnit } from '../storage/write-unit.js'
import { deleteDocument, insertDocument, updateDocument, upsertDocument } from './apply.js'
import { collectionForWrite } from './collections.js'
import { TargetSearch } from './target-search.js'

export interface StatementTarget { engine: Engine, db: string, coll: string, bypassValidation: boolean }

export interface StatementResult { matched: number, modified: number, upsertedId?: unknown, before?: StoredDocument, after?: StoredDocument }

/** `done`, `more` for another commit to go on in, or `scan` for a search that must be made first. */
export type StepOutcome = 'done' | 'more' | 'scan'

/** One insert, update or delete, which may take several commits. */
export interface Statement {
  readonly result: StatementResult
  /** Goes on with the statement until `deadline` (of performance.now). With `canWait` false it must be finished. */
  run: (unit: WriteUnit, deadline: number, canWait: boolean) => StepOutcome
  scan: (interrupt: Interrupt) => Promise<void>
}

export class InsertStatement implements Statement {
  readonly result: StatementResult = { matched: 0, modified: 0 }
  private readonly target: StatementTarget
  private readonly document: NewDocument

  constructor (target: StatementTarget, document: NewDocument) {
    this.target = target
    this.document = document
  }

  run (unit: WriteUnit): StepOutcome {
    const { engine, db, coll, bypassValidation } = this.target
    insertDocument(unit, collectionForWrite(engine, unit, db, coll, true)!, this.document, bypassValidation)
    this.result.modified = 1
    return 'done'
  }

  async scan (): Promise<void> {}
}

export interface ChangeSpec {
  filter: Document
  multi: boolean
  sort?: Document | undefined
  hint?: unknown
  collation?: Document | undefined
  let?: Document | undefined
}

export interface UpdateSpec extends ChangeSpec {
  update: Document | Document[]
  upsert: boolean
  arrayFilters?: Document[] | undefined
}

/** What updates and deletes share: finding documents and going through them. */
abstract class ChangeStatement implements Statement {
  readonly result: StatementResult = { matched: 0, modified: 0 }
  protected readonly target: StatementTarget
  protected readonly spec: ChangeSpec
  private search: TargetSearch | undefined
  private pending: Array<StoredDocument | number> | undefined
  private at = 0

  constructor (target: StatementTarget, spec: ChangeSpec) {
    this.target = target
    this.spec = spec
    compileFilter(spec.filter, filterOptions({ let: spec.let, collation: this.collationFor(undefined) }))
  }

  protected abstract change (unit: WriteUnit, collection: Collection, stored: StoredDocument): void
  protected abstract finish (unit: WriteUnit, collection: Collection | undefined): void
  protected abstract get creates (): boolean

  run (unit: WriteUnit, deadline: number, canWait: boolean): StepOutcome {
    const collection = this.collection(unit)
    if (collection === undefined) {
      this.finish(unit, undefined)
      return 'done'
    }
    this.forgetStale()
    this.search ??= new TargetSearch(this.query(collection))
    this.pending ??= this.search.locate(unit.view, collection, canWait)
    if (this.pending === undefined) return 'scan'
    for (; this.at < this.pending.length; this.at++) {
      if (canWait && performance.now() > deadline) return 'more'
      const stored = this.search.load(unit.view, collection, this.pending[this.at]!)
      if (stored !== undefined) this.change(unit, collection, stored)
    }
    if (this.isOvertaken()) return 'more'
    this.finish(unit, collection)
    return 'done'
  }

  async scan (interrupt: Interrupt): Promise<void> {
    const { engine, db, coll } = this.target
    const collection = engine.catalog.get(db, coll)
    if (collection !== undefined) await this.search?.scan(engine.view, collection, interrupt)
  }

  protected collationFor (collection: Collection | undefined): Collation | undefined {
    return collationOf({ collation: this.spec.collation }, collection)
  }

  /** In a later commit than the one that searched, what was read may have changed, and what was missing be there. */
  private forgetStale (): void {
    if (this.pending === undefined) return
    if (this.at >= this.pending.length && this.result.matched === 0) {
      this.search = undefined
      this.pending = undefined
    } else this.pending = this.pending.slice(this.at).map(candidate => typeof candidate === 'number' ? candidate : candidate.recordId)
    this.at = 0
  }

  /** The one document that was found does not match any more: another may, so the search begins anew. */
  private isOvertaken (): boolean {
    if (this.spec.multi || this.pending?.length === 0 || this.result.matched > 0) return false
    this.search = undefined
    this.pending = undefined
    this.at = 0
    return true
  }

  private collection (unit: WriteUnit): Collection | undefined {
    return collectionForWrite(this.target.engine, unit, this.target.db, this.target.coll, this.creates)
  }

  private query (collection: Collection): Query {
    const { filter, sort, hint, multi, let: variables } = this.spec
    return { filter, sort, hint, collation: this.collationFor(collection), let: variables, limit: multi ? undefined : 1 }
  }
}

export class UpdateStatement extends ChangeStatement {
  private readonly update: UpdateSpec
  private compiled: CompiledUpdate | undefined

  constructor (target: StatementTarget, spec: UpdateSpec) {
    super(target, spec)
    this.update = spec
    if (this.compile(undefined).isReplacement && spec.multi) {
      throw new CommandError(ErrorCodes.FailedToParse, 'multi update is not supported for replacement-style update')
    }
    if (spec.multi && spec.sort !== undefined) throw new CommandError(ErrorCodes.FailedToParse, 'Cannot specify sort with multi=true')
  }

  protected get creates (): boolean {
    return this.update.upsert
  }

  protected change (unit: WriteUnit, collection: Collection, stored: StoredDocument): void {
    this.compiled ??= this.compile(collection)
    const after = updateDocument(unit, collection, stored, this.compiled, this.target.bypassValidation)
    this.result.matched++
    this.result.before = stored
    this.result.after = after
    if (after !== stored) this.result.modified++
  }

  protected finish (unit: WriteUnit, collection: Collection | undefined): void {
    if (this.result.matched > 0 || !this.update.upsert || collection === undefined) return
    this.compiled ??= this.compile(collection)
    const stored = upsertDocument(this.target.engine, unit, collection, this.compiled, this.target.bypassValidation)
    this.result.upsertedId = stored.doc._id
    this.result.after = stored
  }

  private compile (collection: Collection | undefined): CompiledUpdate {
    const { filter, update, arrayFilters, let: variables } = this.update
    const collation = this.collationFor(collection)
    return compileUpdate(update, { ...filterOptions({ collation, let: variables }), filter, ...(arrayFilters === undefined ? {} : { arrayFilters }) })
  }
}

export class DeleteStatement extends ChangeStatement {
  protected get creates (): boolean {
    return false
  }

  protected change (unit: WriteUnit, collection: Collection, stored: StoredDocument): void {
    deleteDocument(unit, collection, stored)
    this.result.matched++
    this.result.modified++
    this.result.before = stored
  }

  protected finish (): void {}
}
