import type { Collation, Document } from '../semantics/index.js'
import type { IndexDefinition } from './index-definition.js'

/** A collection or view in memory; the catalogue holds the same on disk. */
export class Collection {
  readonly id: number
  readonly uuid: Buffer
  db: string
  name: string
  options: Document
  indexes: IndexDefinition[]
  /** Number of documents and their bytes; stored with every commit that changes them. */
  count = 0
  bytes = 0
  nextRecordId = 1
  /** Raised by every change, so that a search made before can be known to still hold. */
  version = 0
  dropped = false

  constructor (fields: { id: number, uuid: Buffer, db: string, name: string, options: Document, indexes: IndexDefinition[] }) {
    this.id = fields.id
    this.uuid = fields.uuid
    this.db = fields.db
    this.name = fields.name
    this.options = fields.options
    this.indexes = fields.indexes
  }

  get namespace (): string {
    return `${this.db}.${this.name}`
  }

  get isView (): boolean {
    return typeof this.options.viewOn === 'string'
  }

  get collation (): Collation | undefined {
    return this.options.collation as Collation | undefined
  }

  /** Whether changes keep the document as it was before (`changeStreamPreAndPostImages`). */
  get keepsPreImages (): boolean {
    return (this.options.changeStreamPreAndPostImages as Document | undefined)?.enabled === true
  }

  get isCapped (): boolean {
    return this.options.capped === true
  }

  get idIndex (): IndexDefinition {
    const index = this.indexes[0]
    if (index === undefined) throw new Error(`${this.namespace} has no _id index`)
    return index
  }
}
