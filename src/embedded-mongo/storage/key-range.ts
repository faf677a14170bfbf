export interface Entry { key: Buffer, value: Buffer }

/** Keys from `lower`, included, to `upper`, excluded; backwards from the end if `reverse`. */
export interface KeyRange {
  lower: Buffer
  upper: Buffer
  reverse?: boolean
  /** Only the key `lower` itself can be in the range. */
  isPoint?: boolean
}

export function compareKeys (a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b)
}
