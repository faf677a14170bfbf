import type { Code, ObjectId, Timestamp } from 'bson'
import type { Collation } from '../types.js'
import { collationKey } from '../values/collation.js'
import { binaryParts, regexParts, textOf, toFields } from '../values/compare.js'
import { ByteWriter } from './byte-writer.js'
import { writeNumber } from './encode-number.js'
import { Rank, rankOf } from '../values/types.js'

/**
 * A key whose byte order (memcmp) is the order of {@link compareValues}: equal values give equal keys, and
 * a key is never the beginning of another, so keys can be joined for compound indexes.
 */
export function encodeKey (value: unknown, collation?: Collation): Buffer {
  const writer = ByteWriter.shared()
  writeValue(writer, value, collation)
  return writer.copy()
}

/** The bytes of {@link encodeKey} as a string, for use as a Map key. */
export function encodeKeyText (value: unknown, collation?: Collation): string {
  const writer = ByteWriter.shared()
  writeValue(writer, value, collation)
  return writer.latin1()
}

/** The same key with every bit turned, for descending parts of a compound key. */
export function encodeKeyDescending (value: unknown, collation?: Collation): Buffer {
  const writer = ByteWriter.shared()
  writeValue(writer, value, collation)
  writer.invertFrom(0)
  return writer.copy()
}

/** Writes the parts of a compound key, each in its direction. */
export function encodeCompoundKey (values: unknown[], descending: boolean[], collation?: Collation): Buffer {
  const writer = ByteWriter.shared()
  for (let i = 0; i < values.length; i++) {
    const start = writer.length
    writeValue(writer, values[i], collation)
    if (descending[i] === true) writer.invertFrom(start)
  }
  return writer.copy()
}

function writeValue (writer: ByteWriter, value: unknown, collation: Collation | undefined): void {
  const rank = rankOf(value)
  writer.byte(rank)
  writePayload(writer, value, rank, collation)
}

function writePayload (writer: ByteWriter, value: unknown, rank: number, collation: Collation | undefined): void {
  switch (rank) {
    case Rank.number: return writeNumber(writer, value)
    case Rank.string: {
      const text = textOf(value)
      return writer.text(collation === undefined ? text : collationKey(text, collation))
    }
    case Rank.object: return writeFields(writer, toFields(value), collation)
    case Rank.array: {
      for (const item of value as unknown[]) writeValue(writer, item, collation)
      return writer.byte(0)
    }
    case Rank.binary: {
      const { bytes, subtype } = binaryParts(value)
      writer.uint32(bytes.length)
      writer.byte(subtype)
      return writer.bytes(bytes)
    }
    case Rank.objectId: return writer.bytes((value as ObjectId).id)
    case Rank.boolean: return writer.byte(value === true ? 1 : 0)
    case Rank.date: {
      const time = (value as Date).getTime()
      return Number.isNaN(time) ? writer.uint64(0n) : writer.int64(time)
    }
    case Rank.timestamp: {
      const { high, low } = value as Timestamp
      writer.uint32(high >>> 0)
      return writer.uint32(low >>> 0)
    }
    case Rank.regex: {
      const { pattern, options } = regexParts(value)
      writer.text(pattern)
      return writer.text(options)
    }
    case Rank.code: return writer.text((value as Code).code)
    case Rank.codeWithScope: {
      writer.text((value as Code).code)
      return writeFields(writer, (value as Code).scope ?? {}, undefined)
    }
    default:
  }
}

function writeFields (writer: ByteWriter, fields: Record<string, unknown>, collation: Collation | undefined): void {
  for (const name of Object.keys(fields)) {
    const field = fields[name]
    const rank = rankOf(field)
    // Type, name, value: the order in which documents compare.
    writer.byte(rank)
    writer.text(name)
    writePayload(writer, field, rank, collation)
  }
  writer.byte(0)
}
