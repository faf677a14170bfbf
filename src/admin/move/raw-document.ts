import mongoose from 'mongoose'

const { BSON } = mongoose.mongo

/** Keeps every BSON type as it is, so that what is read can be written again. */
export const exactTypes = { promoteValues: false, promoteLongs: false, promoteBuffers: false, bsonRegExp: true } as const

/** One field of a document: its type byte and all its bytes, name included. */
export interface RawElement { type: number, name: string, bytes: Buffer }

const DOCUMENT = 0x03
const ARRAY = 0x04

/** Bytes of the values that have a fixed length, by type (bsonspec.org, version 1.1). */
const FIXED = new Map([[0x01, 8], [0x06, 0], [0x07, 12], [0x08, 1], [0x09, 8], [0x0A, 0], [0x10, 4], [0x11, 8], [0x12, 8], [0x13, 16], [0xFF, 0], [0x7F, 0]])

function valueLength (type: number, bytes: Buffer, at: number): number {
  const fixed = FIXED.get(type)
  if (fixed !== undefined) return fixed
  switch (type) {
    case 0x02: case 0x0D: case 0x0E: return 4 + bytes.readInt32LE(at)
    case DOCUMENT: case ARRAY: case 0x0F: return bytes.readInt32LE(at)
    case 0x05: return 5 + bytes.readInt32LE(at)
    case 0x0C: return 4 + bytes.readInt32LE(at) + 12
    case 0x0B: return bytes.indexOf(0, bytes.indexOf(0, at) + 1) + 1 - at
    default: throw new Error(`unknown BSON type 0x${type.toString(16)}`)
  }
}

/** The fields of a document in their order. */
export function * elementsOf (document: Buffer): Generator<RawElement> {
  for (let at = 4; at < document.length - 1;) {
    const nameEnd = document.indexOf(0, at + 1)
    const type = document[at]!
    const end = nameEnd + 1 + valueLength(type, document, nameEnd + 1)
    yield { type, name: document.toString('utf8', at + 1, nameEnd), bytes: document.subarray(at, end) }
    at = end
  }
}

/** A document's field, or undefined. */
export function findElement (document: Buffer, name: string): RawElement | undefined {
  for (const element of elementsOf(document)) if (element.name === name) return element
  return undefined
}

/** The bytes of an element's value. */
export const valueBytes = ({ bytes }: RawElement): Buffer => bytes.subarray(bytes.indexOf(0, 1) + 1)

/** A document of the elements given. */
export function joinElements (...elements: Buffer[]): Buffer {
  const length = elements.reduce((sum, { length }) => sum + length, 5)
  const head = Buffer.alloc(4)
  head.writeInt32LE(length)
  return Buffer.concat([head, ...elements, Buffer.alloc(1)], length)
}

/** `name: document` as one element. */
export const documentElement = (name: string, document: Buffer): Buffer => Buffer.concat([Buffer.from([DOCUMENT]), Buffer.from(`${name}\0`), document])

/**
 * An element's value as the driver takes it, types and the order of fields kept: documents become Maps, since objects
 * put names that look like array indexes first.
 */
export function exactValue (element: RawElement): unknown {
  if (element.type === DOCUMENT) return new Map(Array.from(elementsOf(valueBytes(element)), field => [field.name, exactValue(field)]))
  if (element.type === ARRAY) return Array.from(elementsOf(valueBytes(element)), exactValue)
  return BSON.deserialize(joinElements(element.bytes), exactTypes)[element.name]
}

/** The same bytes as a Buffer, without a copy. */
export const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
