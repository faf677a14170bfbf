import { compareDecimalToNumber, decimalToNumber, type Decimal } from '../values/decimal.js'
import { toComparable, type Comparable } from '../values/numbers.js'
import type { ByteWriter } from './byte-writer.js'

/**
 * Writes a BSON number of any type so that byte order is the order of values. First the largest double that
 * is not above the number, in order-preserving form; then 0 if that is the number exactly, or 1 and its exact
 * decimal digits (int64 beyond 2^53, most decimals), which decide between numbers sharing the double.
 */
export function writeNumber (writer: ByteWriter, value: unknown): void {
  const number = toComparable(value)
  if (typeof number === 'number') {
    // NaN sorts below all numbers: a byte lower than the first of any double but never 0, which ends arrays.
    if (Number.isNaN(number)) return writer.byte(0)
    writer.byte(1)
    writer.double(number)
    return writer.byte(0)
  }
  writer.byte(1)
  writeInexact(writer, typeof number === 'bigint' ? { coefficient: number, exponent: 0 } : number, number)
}

function writeInexact (writer: ByteWriter, exact: Decimal, original: Comparable): void {
  const nearest = typeof original === 'bigint' ? Number(original) : decimalToNumber(exact)
  const floor = floorDouble(exact, nearest)
  writer.double(floor)
  if (Number.isFinite(floor) && compareDecimalToNumber(exact, floor) === 0) return writer.byte(0)
  writer.byte(1)
  writeDigits(writer, exact)
}

function floorDouble (exact: Decimal, nearest: number): number {
  if (nearest === Infinity) return Number.MAX_VALUE
  if (nearest === -Infinity) return -Infinity
  return compareDecimalToNumber(exact, nearest) < 0 ? previousDouble(nearest) : nearest
}

const view = new DataView(new ArrayBuffer(8))

function previousDouble (value: number): number {
  if (value === 0) return -Number.MIN_VALUE
  view.setFloat64(0, value)
  view.setBigInt64(0, view.getBigInt64(0) + (value > 0 ? -1n : 1n))
  return view.getFloat64(0)
}

/** Scientific notation: exponent of the first digit, then the digits without trailing zeros; turned for negatives. */
function writeDigits (writer: ByteWriter, value: Decimal): void {
  const negative = value.coefficient < 0n
  const digits = (negative ? -value.coefficient : value.coefficient).toString().replace(/0+$/, '')
  const length = (negative ? -value.coefficient : value.coefficient).toString().length
  const exponent = value.exponent + length - 1 + 0x8000
  const turn = negative ? 0xff : 0
  writer.byte(((exponent >> 8) & 0xff) ^ turn)
  writer.byte((exponent & 0xff) ^ turn)
  for (const digit of digits) writer.byte((digit.charCodeAt(0) - 0x2f) ^ turn)
  writer.byte(turn)
}
