/**
 * Puts documents that are already BSON into a reply without decoding them. Only BSON's framing
 * (bsonspec.org: length, type byte, name, terminating zero) is written here.
 */
import { hasName } from '../semantics/index.js'

const ARRAY = 0x04
const DOCUMENT = 0x03

const indexNames: Buffer[] = []

function indexName (index: number): Buffer {
  if (index >= 4096) return Buffer.from(`${index}\0`)
  indexNames[index] ??= Buffer.from(`${index}\0`)
  return indexNames[index]
}

/** `name: [documents]` as one BSON element. */
export function rawArrayElement (name: string, documents: Buffer[]): Buffer {
  const field = Buffer.from(`${name}\0`)
  let length = 5
  for (let i = 0; i < documents.length; i++) length += 1 + indexName(i).length + documents[i]!.length
  const out = Buffer.allocUnsafe(1 + field.length + length)
  out[0] = ARRAY
  field.copy(out, 1)
  let at = out.writeInt32LE(length, 1 + field.length)
  for (let i = 0; i < documents.length; i++) {
    out[at++] = DOCUMENT
    at += indexName(i).copy(out, at)
    at += documents[i]!.copy(out, at)
  }
  out[at] = 0
  return out
}

/** `name: document` as one BSON element. */
export function rawDocumentElement (name: string, document: Buffer): Buffer {
  return Buffer.concat([Buffer.from([DOCUMENT]), Buffer.from(`${name}\0`), document])
}

/** Sizes of the values whose length is given by their type. */
const FIXED_BYTES: Record<number, number> = {
  0x01: 8, 0x06: 0, 0x07: 12, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16, 0x7F: 0, 0xFF: 0
}

/** The elements of a well-formed document that have this name, from type byte to end, not counting those of documents within it. */
export function findElements (document: Buffer, name: Uint8Array): Array<{ start: number, end: number }> {
  const found: Array<{ start: number, end: number }> = []
  for (let start = 4; document[start] !== 0;) {
    const value = document.indexOf(0, start + 1) + 1
    const end = value + valueBytes(document, document[start]!, value)
    if (hasName(document, start, value, name)) found.push({ start, end })
    start = end
  }
  return found
}

/** The document with one of its elements in first place, all else in the order it has. */
export function moveElementFirst (document: Buffer, start: number, end: number): Buffer {
  return joinElements([document.subarray(start, end), document.subarray(4, start), document.subarray(end, -1)])
}

function valueBytes (document: Buffer, type: number, at: number): number {
  const fixed = FIXED_BYTES[type]
  if (fixed !== undefined) return fixed
  const length = document.readInt32LE(at)
  switch (type) {
    case DOCUMENT:
    case ARRAY:
    case 0x0F: return length
    case 0x05: return 5 + length
    case 0x0B: return document.indexOf(0, document.indexOf(0, at) + 1) + 1 - at
    case 0x0C: return 16 + length
    default: return 4 + length
  }
}

/** The elements of a serialised document, without its length and terminating zero. */
export function elementsOf (document: Buffer): Buffer {
  return document.subarray(4, document.length - 1)
}

/** A document of the elements given, in that order. */
export function joinElements (elements: Buffer[]): Buffer {
  let length = 5
  for (const element of elements) length += element.length
  const out = Buffer.allocUnsafe(length)
  let at = out.writeInt32LE(length, 0)
  for (const element of elements) at += element.copy(out, at)
  out[at] = 0
  return out
}
