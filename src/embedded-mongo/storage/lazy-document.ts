import { deserializeDocument, type Document, type FieldPositions } from '../semantics/index.js'

/** A document as its bytes, decoded when somebody looks inside. */
export class LazyDocument {
  readonly raw: Buffer
  private decoded: Document | undefined

  constructor (raw: Buffer, decoded?: Document) {
    this.raw = raw
    this.decoded = decoded
  }

  get doc (): Document {
    this.decoded ??= deserializeDocument(this.raw)
    return this.decoded
  }
}

/** A document that has been checked and is to be stored. */
export class NewDocument extends LazyDocument {
  /** Where its fields lie, if `scanDocument` has accepted it: then most index keys don't need it decoded. */
  readonly fields: FieldPositions | undefined

  constructor (raw: Buffer, { doc, fields }: { doc?: Document, fields?: FieldPositions }) {
    super(raw, doc)
    this.fields = fields
  }
}
