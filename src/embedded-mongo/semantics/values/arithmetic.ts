import { Decimal128, Double, Int32, Long } from 'bson'
import { decimalFromNumber, digitCount, divideHalfEven, readDecimal, writeDecimal, type Decimal } from './decimal.js'
import { toNumber } from './numbers.js'
import { isInt32 } from './types.js'

/** MongoDB's numeric types, in order of promotion: the result has the wider of the operands' types. */
export type NumericType = 'int' | 'long' | 'double' | 'decimal'

const width: Record<NumericType, number> = { int: 0, long: 1, double: 2, decimal: 3 }
const LONG_MIN = -(2n ** 63n)
const LONG_MAX = 2n ** 63n - 1n

/** The numeric type of a value, or undefined if it is no number. */
export function numericTypeOf (value: unknown): NumericType | undefined {
  if (value instanceof Int32) return 'int'
  if (value instanceof Double) return 'double'
  if (value instanceof Long) return (value as { _bsontype: string })._bsontype === 'Long' ? 'long' : undefined
  if (value instanceof Decimal128) return 'decimal'
  if (typeof value === 'number') return isInt32(value) ? 'int' : 'double'
  if (typeof value === 'bigint') return 'long'
  return undefined
}

export function widerType (a: NumericType, b: NumericType): NumericType {
  return width[a] >= width[b] ? a : b
}

export function toBigInt (value: unknown): bigint {
  if (value instanceof Long) return value.toBigInt()
  if (typeof value === 'bigint') return value
  return BigInt(Math.trunc(toNumber(value)))
}

/** A decimal or, for NaN and infinities, a JavaScript number. */
export function toDecimal (value: unknown): Decimal | number {
  if (value instanceof Decimal128) return readDecimal(value)
  if (value instanceof Long || typeof value === 'bigint') return { coefficient: toBigInt(value), exponent: 0 }
  return decimalFromNumber(toNumber(value))
}

export function packDecimal (value: Decimal | number): Decimal128 {
  if (typeof value !== 'number') return writeDecimal(value)
  return Decimal128.fromString(Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity')
}

/** An int32 if it fits and no operand was wider, else an int64, else a double. */
export function packInteger (value: bigint, type: NumericType): unknown {
  if (type === 'int' && value >= -2147483648n && value <= 2147483647n) return new Int32(Number(value))
  if (value >= LONG_MIN && value <= LONG_MAX) return Long.fromBigInt(value)
  return new Double(Number(value))
}

export function fitsLong (value: bigint): boolean {
  return value >= LONG_MIN && value <= LONG_MAX
}

interface Operation {
  integer: (a: bigint, b: bigint) => bigint
  double: (a: number, b: number) => number
  decimal: (a: Decimal, b: Decimal) => Decimal | number
}

function align (a: Decimal, b: Decimal): [bigint, bigint, number] {
  const exponent = Math.min(a.exponent, b.exponent)
  // Beyond this the smaller operand cannot reach the 34 digits kept; without the cut a sum could need 12,000 digits.
  if (a.coefficient !== 0n && b.coefficient !== 0n && Math.abs(a.exponent - b.exponent) > 200) {
    const [large, small] = a.exponent > b.exponent ? [a, b] : [b, a]
    if (large.exponent - small.exponent > digitCount(small.coefficient) + 80) {
      const scaled = large.coefficient * 10n ** 80n
      return large === a ? [scaled, sign(small), large.exponent - 80] : [sign(small), scaled, large.exponent - 80]
    }
  }
  return [a.coefficient * 10n ** BigInt(a.exponent - exponent), b.coefficient * 10n ** BigInt(b.exponent - exponent), exponent]
}

function sign (value: Decimal): bigint {
  return value.coefficient < 0n ? -1n : 1n
}

const addition: Operation = {
  integer: (a, b) => a + b,
  double: (a, b) => a + b,
  decimal: (a, b) => {
    const [left, right, exponent] = align(a, b)
    return { coefficient: left + right, exponent }
  }
}

const multiplication: Operation = {
  integer: (a, b) => a * b,
  double: (a, b) => a * b,
  decimal: (a, b) => ({ coefficient: a.coefficient * b.coefficient, exponent: a.exponent + b.exponent })
}

function operate (a: unknown, b: unknown, operation: Operation): unknown {
  if (a instanceof Int32 && b instanceof Int32) {
    const plain = operation.double(a.value, b.value)
    if (isInt32(plain) || plain === 0) return new Int32(plain)
    return Number.isSafeInteger(plain) ? Long.fromNumber(plain) : Long.fromBigInt(operation.integer(BigInt(a.value), BigInt(b.value)))
  }
  const type = widerType(numericTypeOf(a) ?? 'int', numericTypeOf(b) ?? 'int')
  if (type === 'double') return new Double(operation.double(toNumber(a), toNumber(b)))
  if (type === 'decimal') {
    const left = toDecimal(a)
    const right = toDecimal(b)
    if (typeof left === 'number' || typeof right === 'number') return packDecimal(operation.double(toNumber(a), toNumber(b)))
    return packDecimal(operation.decimal(left, right))
  }
  return packInteger(operation.integer(toBigInt(a), toBigInt(b)), type)
}

/** Sum with MongoDB's promotion: int to long on overflow, long to double, and decimal if any operand is one. */
export function add (a: unknown, b: unknown): unknown {
  return operate(a, b, addition)
}

export function multiply (a: unknown, b: unknown): unknown {
  return operate(a, b, multiplication)
}

export function negate (value: unknown): unknown {
  return multiply(value, new Int32(-1))
}

export function subtract (a: unknown, b: unknown): unknown {
  if (numericTypeOf(a) === 'double' || numericTypeOf(b) === 'double') {
    if (numericTypeOf(a) !== 'decimal' && numericTypeOf(b) !== 'decimal') return new Double(toNumber(a) - toNumber(b))
  }
  return operate(a, negateExactly(b), addition)
}

function negateExactly (value: unknown): unknown {
  const type = numericTypeOf(value)
  if (type === 'int' || type === 'long') {
    const negated = -toBigInt(value)
    // −(−2^63) does not fit an int64; the sum it takes part in may, so it stays a bigint (a "long" to the sum).
    return type === 'int' && negated <= 2147483647n ? new Int32(Number(negated)) : negated
  }
  return negate(value)
}

/** Always a double, or a decimal if an operand is one; the caller has refused zero divisors. */
export function divide (a: unknown, b: unknown): unknown {
  if (numericTypeOf(a) !== 'decimal' && numericTypeOf(b) !== 'decimal') return new Double(toNumber(a) / toNumber(b))
  const left = toDecimal(a)
  const right = toDecimal(b)
  if (typeof left === 'number' || typeof right === 'number' || right.coefficient === 0n) return packDecimal(toNumber(a) / toNumber(b))
  return packDecimal(divideDecimals(left, right))
}

function divideDecimals (a: Decimal, b: Decimal): Decimal {
  const shift = Math.max(0, 36 + digitCount(b.coefficient) - digitCount(a.coefficient))
  const numerator = a.coefficient * 10n ** BigInt(shift)
  let coefficient = numerator / b.coefficient
  let exponent = a.exponent - b.exponent - shift
  // An inexact quotient keeps a digit that cannot round to even by accident.
  if (numerator % b.coefficient !== 0n) return { coefficient: coefficient * 10n + (coefficient < 0n || (coefficient === 0n && (a.coefficient < 0n) !== (b.coefficient < 0n)) ? -1n : 1n), exponent: exponent - 1 }
  while (exponent < a.exponent - b.exponent && coefficient % 10n === 0n && coefficient !== 0n) {
    coefficient /= 10n
    exponent += 1
  }
  return { coefficient, exponent }
}

/** Remainder with the dividend's sign; the caller has refused zero divisors. */
export function modulo (a: unknown, b: unknown): unknown {
  const type = widerType(numericTypeOf(a) ?? 'int', numericTypeOf(b) ?? 'int')
  if (type === 'int' || type === 'long') return packInteger(toBigInt(a) % toBigInt(b), type)
  if (type === 'double') return new Double(toNumber(a) % toNumber(b))
  const left = toDecimal(a)
  const right = toDecimal(b)
  if (typeof left === 'number' || typeof right === 'number' || right.coefficient === 0n) return packDecimal(toNumber(a) % toNumber(b))
  const exponent = Math.min(left.exponent, right.exponent)
  const scaled = (value: Decimal) => value.coefficient * 10n ** BigInt(value.exponent - exponent)
  return packDecimal({ coefficient: scaled(left) % scaled(right), exponent })
}

export type Rounding = 'halfEven' | 'trunc' | 'floor' | 'ceil'

/** Rounds to `place` digits after the point (negative: before it), keeping the type. */
export function roundTo (value: unknown, place: number, mode: Rounding): unknown {
  const type = numericTypeOf(value) ?? 'int'
  if (type === 'int' || type === 'long') {
    if (place >= 0) return value
    return packInteger(roundInteger(toBigInt(value), place, mode), type)
  }
  const exact = toDecimal(value)
  if (typeof exact === 'number') return value
  if (type === 'double') return new Double(roundDouble(toNumber(value), place, mode))
  return packDecimal(roundDecimal(exact, place, mode))
}

function roundInteger (value: bigint, place: number, mode: Rounding): bigint {
  const unit = 10n ** BigInt(-place)
  return divideRounding(value, unit, mode) * unit
}

function divideRounding (value: bigint, unit: bigint, mode: Rounding): bigint {
  if (mode === 'halfEven') return divideHalfEven(value, unit)
  const quotient = value / unit
  if (value % unit === 0n || mode === 'trunc') return quotient
  if (mode === 'floor') return value < 0n ? quotient - 1n : quotient
  return value > 0n ? quotient + 1n : quotient
}

function roundDecimal (value: Decimal, place: number, mode: Rounding): Decimal {
  if (value.exponent >= -place) return value
  const unit = 10n ** BigInt(-place - value.exponent)
  return { coefficient: divideRounding(value.coefficient, unit, mode), exponent: -place }
}

function roundDouble (value: number, place: number, mode: Rounding): number {
  if (!Number.isFinite(value)) return value
  if (place === 0) {
    if (mode === 'floor') return Math.floor(value)
    if (mode === 'ceil') return Math.ceil(value)
    if (mode === 'trunc') return Math.trunc(value)
    const floor = Math.floor(value)
    const difference = value - floor
    if (difference < 0.5) return Object.is(value, -0) ? value : floor === 0 && value < 0 ? -0 : floor
    if (difference > 0.5) return floor + 1 === 0 ? -0 : floor + 1
    return floor % 2 === 0 ? floor : floor + 1
  }
  if (place > 100) return value
  const exact = decimalFromNumberExactly(value)
  const rounded = roundDecimal(exact, place, mode)
  return Number(`${rounded.coefficient}e${rounded.exponent}`)
}

/** The shortest decimal that reads back as the double. */
function decimalFromNumberExactly (value: number): Decimal {
  const [mantissa = '0', power = '0'] = value.toExponential().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  return { coefficient: BigInt(whole + fraction), exponent: Number(power) - fraction.length }
}

/** Wraps a plain number as the server would: int32 if whole and in range, else double. */
export function wrapNumber (value: number): Int32 | Double {
  return isInt32(value) ? new Int32(value) : new Double(value)
}

/** An int32 or, beyond its range, an int64. */
export function wrapInteger (value: number): Int32 | Long {
  return isInt32(value) ? new Int32(value) : Long.fromNumber(value)
}
