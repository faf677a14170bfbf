import { Decimal128, Double, Int32, Long } from 'bson'
import { compareDecimals, compareDecimalToNumber, readDecimal, type Decimal } from './decimal.js'

/** A number for comparison: a double where that is exact, else a bigint (int64) or a decimal. */
export type Comparable = number | bigint | Decimal

/** The exact value of any BSON number; NaN and infinities of every type are JavaScript's. */
export function toComparable (value: unknown): Comparable {
  if (value instanceof Int32 || value instanceof Double) return value.value
  if (typeof value === 'number') return value
  if (value instanceof Long) return longToComparable(value)
  if (value instanceof Decimal128) return simplify(readDecimal(value))
  if (typeof value === 'bigint') return value
  return NaN
}

function longToComparable (value: Long): number | bigint {
  const { high } = value
  return high >= -0x200000 && high < 0x200000 ? high * 0x100000000 + value.low + (value.low < 0 ? 0x100000000 : 0) : value.toBigInt()
}

function simplify (value: Decimal | number): Comparable {
  if (typeof value === 'number') return value
  if (value.coefficient === 0n) return 0
  if (value.exponent === 0 && value.coefficient > -9007199254740992n && value.coefficient < 9007199254740992n) return Number(value.coefficient)
  return value
}

/** Compares two BSON numbers by value: NaN is equal to itself and below everything, −0 equals 0. */
export function compareNumbers (left: unknown, right: unknown): number {
  return compareComparables(toComparable(left), toComparable(right))
}

export function compareComparables (a: Comparable, b: Comparable): number {
  if (typeof a !== 'object' && typeof b !== 'object') {
    if (a < b) return -1
    if (a > b) return 1
    // eslint-disable-next-line eqeqeq -- a bigint and a number of the same value are the same
    if (a == b) return 0
    return compareNaN(a, b)
  }
  if (typeof a === 'object') {
    if (typeof b === 'object') return compareDecimals(a, b)
    if (typeof b === 'bigint') return compareDecimals(a, { coefficient: b, exponent: 0 })
    if (Number.isNaN(b)) return 1
    if (!Number.isFinite(b)) return b > 0 ? -1 : 1
    return compareDecimalToNumber(a, b)
  }
  return -compareComparables(b, a)
}

function compareNaN (a: number | bigint, b: number | bigint): number {
  const leftNaN = typeof a === 'number' && Number.isNaN(a)
  const rightNaN = typeof b === 'number' && Number.isNaN(b)
  return leftNaN === rightNaN ? 0 : leftNaN ? -1 : 1
}

/** The nearest double. */
export function toNumber (value: unknown): number {
  if (value instanceof Int32 || value instanceof Double) return value.value
  if (typeof value === 'number') return value
  if (value instanceof Long) return value.toNumber()
  if (value instanceof Decimal128) return Number(value.toString())
  if (typeof value === 'bigint') return Number(value)
  return NaN
}

/** An integer for places that ask for one ($slice, $limit, …), or undefined if the number has a fraction. */
export function toInteger (value: unknown): number | undefined {
  const number = toNumber(value)
  return Number.isInteger(number) ? number : undefined
}
