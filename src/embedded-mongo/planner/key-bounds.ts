import { encodeKey, encodeKeyDescending, type Collation, type PathBounds } from '../semantics/index.js'
import { Rank, rankOf } from '../semantics/values/types.js'
import { prefixEnd } from '../storage/keys.js'

/** A half-open range of the encoded keys of one field. */
export interface ByteRange { lower: Buffer, upper: Buffer }

/** Types within which `$lt` and `$gt` compare; for others an index gives no bounds. */
const RANGED = new Set<number>([Rank.number, Rank.string, Rank.objectId, Rank.boolean, Rank.date, Rank.timestamp, Rank.binary])

/** Below and above the keys of all values. */
const LOWEST = Buffer.from([0])
const HIGHEST = Buffer.from([0xFF])

/** The encoded keys an equality or `$in` allows, in index order; undefined if it cannot be told from an index. */
export function pointKeys (bounds: PathBounds, direction: 1 | -1, collation: Collation | undefined): Buffer[] | undefined {
  if (bounds.eq === undefined) return undefined
  const encode = direction === 1 ? encodeKey : encodeKeyDescending
  const keys = bounds.eq.map(value => encode(value, collation)).sort(Buffer.compare)
  return keys.filter((key, at) => at === 0 || !key.equals(keys[at - 1]!))
}

/** The range of encoded keys that comparisons allow. With `oneSided` only one of the two ends is used. */
export function rangeKeys (bounds: PathBounds, direction: 1 | -1, collation: Collation | undefined, oneSided: boolean): ByteRange | undefined {
  const { min, max } = bounds
  const known = min ?? max
  // A prefix of a regular expression knows nothing of collations.
  if (known === undefined || (bounds.prefix === true && collation !== undefined)) return undefined
  const rank = rankOf(known)
  if (!RANGED.has(rank) || isNaNumber(known) || (max !== undefined && (isNaNumber(max) || rankOf(max) !== rank))) return undefined
  // NaN sorts below all numbers and no comparison with a number finds it.
  const floor = bounds.anyType === true ? LOWEST : rank === Rank.number ? encodeKey(-Infinity) : Buffer.from([rank])
  const ceiling = bounds.anyType === true ? HIGHEST : Buffer.from([rank + 1])
  const useMax = max !== undefined && !(oneSided && min !== undefined && bounds.sameElement !== true)
  const lower = min === undefined ? floor : endOf(encodeKey(min, collation), bounds.minInclusive === true)
  const upper = useMax ? endOf(encodeKey(max, collation), bounds.maxInclusive !== true) : ceiling
  return direction === 1 ? { lower, upper } : { lower: prefixEnd(invert(upper)), upper: prefixEnd(invert(lower)) }
}

/** The key itself, or the first behind it and everything that begins with it. */
function endOf (key: Buffer, itself: boolean): Buffer {
  return itself ? key : prefixEnd(key)
}

function invert (key: Buffer): Buffer {
  return Buffer.from(key.map(byte => ~byte & 0xFF))
}

function isNaNumber (value: unknown): boolean {
  return rankOf(value) === Rank.number && Number.isNaN(Number(String(value)))
}
