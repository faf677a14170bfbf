import { serializeDocument, type Document } from './semantics/index.js'

/** A document as BSON. */
export function toBytes (doc: Document): Buffer {
  const bytes = serializeDocument(doc)
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
