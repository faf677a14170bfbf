/**
 * Puts documents that are already BSON into a reply without decoding them. Only BSON's framing
 * (bsonspec.org: length, type byte, name, terminating zero) is written here.
 */
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
