import { TREE_NAMES, type TreeName } from './environment.js'

/** The content of one commit in the journal: each change as tree, lengths of key and value, key, value. */
export interface TreeChange { tree: TreeName, key: Buffer, value: Buffer | undefined }

const HEADER_BYTES = 1 + 2 + 4
/** In place of a value's length: the key is removed. */
const REMOVED = 0xFFFFFFFF

/** Encodes changes without copying the larger values; gives the parts and their bytes together. */
export function encodeChanges (changes: readonly TreeChange[]): { parts: Buffer[], bytes: number } {
  const parts: Buffer[] = []
  let bytes = 0
  const headers = Buffer.allocUnsafe(HEADER_BYTES * changes.length)
  changes.forEach(({ tree, key, value }, index) => {
    const header = headers.subarray(index * HEADER_BYTES, (index + 1) * HEADER_BYTES)
    header[0] = TREE_NAMES.indexOf(tree)
    header.writeUInt16BE(key.length, 1)
    header.writeUInt32BE(value?.length ?? REMOVED, 3)
    parts.push(header, key)
    if (value !== undefined) parts.push(value)
    bytes += HEADER_BYTES + key.length + (value?.length ?? 0)
  })
  return { parts, bytes }
}

export function * decodeChanges (record: Buffer): Generator<TreeChange> {
  for (let at = 0; at < record.length;) {
    const tree = TREE_NAMES[record[at]!]
    if (tree === undefined) throw new Error(`the journal names a tree ${record[at]} that this version does not know`)
    const keyEnd = at + HEADER_BYTES + record.readUInt16BE(at + 1)
    const length = record.readUInt32BE(at + 3)
    const end = length === REMOVED ? keyEnd : keyEnd + length
    yield { tree, key: record.subarray(at + HEADER_BYTES, keyEnd), value: length === REMOVED ? undefined : record.subarray(keyEnd, end) }
    at = end
  }
}
