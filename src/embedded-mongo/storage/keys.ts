import { createHash } from 'node:crypto'

/** Record ids are 48-bit numbers in insertion order, big-endian in keys. */
export const RECORD_ID_BYTES = 6
/** LMDB takes keys up to 1,978 bytes at 4 KiB pages; the rest of an entry needs 10 of them. */
export const MAX_ENCODED_BYTES = 1960
const KEPT_BYTES = 1940

/** How many bytes an index's or collection's id takes in front of its keys. */
export const ID_BYTES = 4

/** The four bytes that begin all keys of one collection or index. */
export function idPrefix (id: number): Buffer {
  const prefix = Buffer.allocUnsafe(4)
  prefix.writeUInt32BE(id)
  return prefix
}

export function documentKey (collectionId: number, recordId: number): Buffer {
  const key = Buffer.allocUnsafe(4 + RECORD_ID_BYTES)
  key.writeUInt32BE(collectionId)
  key.writeUIntBE(recordId, 4, RECORD_ID_BYTES)
  return key
}

export function encodeRecordId (recordId: number): Buffer {
  const bytes = Buffer.allocUnsafe(RECORD_ID_BYTES)
  bytes.writeUIntBE(recordId, 0, RECORD_ID_BYTES)
  return bytes
}

export function decodeRecordId (bytes: Uint8Array): number {
  const at = bytes.length - RECORD_ID_BYTES
  return ((bytes[at]! << 8) | bytes[at + 1]!) * 0x100000000 +
    (((bytes[at + 2]! << 24) | (bytes[at + 3]! << 16) | (bytes[at + 4]! << 8) | bytes[at + 5]!) >>> 0)
}

export function isLongKey (encoded: Buffer): boolean {
  return encoded.length > MAX_ENCODED_BYTES
}

/**
 * What is stored for an encoded key: itself, or for one longer than LMDB takes its beginning and a hash of all.
 * Equal keys stay equal and different ones different; only the order among those with the same beginning is lost.
 */
export function fitKey (encoded: Buffer): Buffer {
  if (!isLongKey(encoded)) return encoded
  return Buffer.concat([encoded.subarray(0, KEPT_BYTES), createHash('sha1').update(encoded).digest()])
}

/** The key of an index entry; unique indexes hold the record id in the value only. */
export function entryKey (indexId: number, encoded: Buffer, recordId?: number): Buffer {
  const fitted = fitKey(encoded)
  const key = Buffer.allocUnsafe(4 + fitted.length + (recordId === undefined ? 0 : RECORD_ID_BYTES))
  key.writeUInt32BE(indexId)
  fitted.copy(key, 4)
  if (recordId !== undefined) key.writeUIntBE(recordId, 4 + fitted.length, RECORD_ID_BYTES)
  return key
}

/** The lowest key above every key that begins with `prefix`. */
export function prefixEnd (prefix: Buffer): Buffer {
  let length = prefix.length
  while (length > 0 && prefix[length - 1] === 0xFF) length--
  if (length === 0) return Buffer.from([0xFF, 0xFF, 0xFF, 0xFF, 0xFF])
  const end = Buffer.from(prefix.subarray(0, length))
  end[length - 1]!++
  return end
}

/** The lowest key above `key` itself. */
export function keyAfter (key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.from([0])])
}

/** The part of a range bound that can be compared with stored keys; `true` if something was cut off. */
export function fitBound (encoded: Buffer): { bytes: Buffer, cut: boolean } {
  return isLongKey(encoded) ? { bytes: encoded.subarray(0, KEPT_BYTES), cut: true } : { bytes: encoded, cut: false }
}
