import { Rank } from '../values/types.js'
import { BsonType, hasName, readInt32, type FieldPositions } from '../values/scan-document.js'
import type { ByteWriter } from './byte-writer.js'
import { writeNumber } from './encode-number.js'

/** A key pattern of top-level fields: their names in bytes, and which of them go down. */
export interface RawKeyPattern {
  names: Uint8Array[]
  descending: boolean[]
  sparse: boolean
  /** Top-level fields without any of which a document has no key: those of a partial filter. */
  required: Uint8Array[]
}

/** A document that `scanDocument` has accepted, with what that found. */
export interface ScannedDocument { raw: Buffer, fields: FieldPositions }

/**
 * Writes the key that `extractIndexKeys` gives, straight from the document's bytes and without a collation. False if
 * that takes decoding, as for arrays: what has been written by then is of no use.
 */
export function writeRawKey (writer: ByteWriter, { raw, fields }: ScannedDocument, { names, descending }: RawKeyPattern): boolean {
  for (let i = 0; i < names.length; i++) {
    const start = writer.length
    const field = findField(raw, fields, names[i]!)
    if (field === -1) writer.byte(Rank.null)
    else if (!writeRawValue(writer, raw, raw[fields[field]!]!, fields[field + 1]!)) return false
    if (descending[i] === true) writer.invertFrom(start)
  }
  return true
}

/** Whether the index takes the document: with all fields that its filter wants, and if it is sparse at least one of its own. */
export function isTaken ({ raw, fields }: ScannedDocument, { names, sparse, required }: RawKeyPattern): boolean {
  const isThere = (name: Uint8Array): boolean => findField(raw, fields, name) !== -1
  return required.every(isThere) && (!sparse || names.some(isThere))
}

/** The field's place in `fields`; of several with the same name the last, as decoding has it. */
function findField (raw: Buffer, fields: FieldPositions, name: Uint8Array): number {
  let at = fields.length - 2
  while (at >= 0 && !hasName(raw, fields[at]!, fields[at + 1]!, name)) at -= 2
  return at < 0 ? -1 : at
}

function writeRawValue (writer: ByteWriter, raw: Buffer, type: number, at: number): boolean {
  switch (type) {
    case BsonType.string:
      writer.byte(Rank.string)
      writer.utf8(raw, at + 4, at + 3 + readInt32(raw, at))
      return true
    case BsonType.objectId:
      writer.byte(Rank.objectId)
      writer.slice(raw, at, at + 12)
      return true
    case BsonType.date:
      writer.byte(Rank.date)
      writer.int64(readInt32(raw, at + 4) * 0x100000000 + (readInt32(raw, at) >>> 0))
      return true
    case BsonType.int32:
      writer.byte(Rank.number)
      writeNumber(writer, readInt32(raw, at))
      return true
    case BsonType.double:
      writer.byte(Rank.number)
      writeNumber(writer, raw.readDoubleLE(at))
      return true
    case BsonType.boolean:
      writer.byte(Rank.boolean)
      writer.byte(raw[at]!)
      return true
    case BsonType.null:
      writer.byte(Rank.null)
      return true
    default: return false
  }
}
