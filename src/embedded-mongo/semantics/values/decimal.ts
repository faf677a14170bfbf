import { Decimal128 } from 'bson'

/**
 * A finite decimal as coefficient and exponent (value = coefficient × 10^exponent), exact.
 * Decimal128 holds 34 digits and exponents from −6176 to 6111 (IEEE 754-2008, binary integer decimal).
 */
export interface Decimal { coefficient: bigint, exponent: number }

export const MAX_DIGITS = 34
const EXPONENT_BIAS = 6176
const MAX_COEFFICIENT = 10n ** 34n - 1n

/** The finite value of a Decimal128, or `NaN`, `Infinity`, `-Infinity`. */
export function readDecimal (value: Decimal128): Decimal | number {
  const { bytes } = value
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16)
  const low = view.getBigUint64(0, true)
  const high = view.getBigUint64(8, true)
  const negative = (high >> 63n) === 1n
  const top = Number((high >> 58n) & 0x1fn)
  if (top === 0x1f) return NaN
  if (top === 0x1e) return negative ? -Infinity : Infinity
  // Bits 62 and 61 set: a coefficient beyond 34 digits, which the standard reads as zero.
  const large = (top >> 3) === 3
  const exponent = Number((large ? high >> 47n : high >> 49n) & 0x3fffn) - EXPONENT_BIAS
  let coefficient = large ? 0n : ((high & 0x1ffffffffffffn) << 64n) | low
  if (coefficient > MAX_COEFFICIENT) coefficient = 0n
  return { coefficient: negative ? -coefficient : coefficient, exponent }
}

export function digitCount (value: bigint): number {
  return (value < 0n ? -value : value).toString().length
}

/** Rounds to 34 digits, half to even, and packs; overflow gives infinity. */
export function writeDecimal (value: Decimal): Decimal128 {
  let { coefficient, exponent } = value
  const surplus = digitCount(coefficient) - MAX_DIGITS
  if (surplus > 0) {
    coefficient = divideHalfEven(coefficient, 10n ** BigInt(surplus))
    exponent += surplus
    if (digitCount(coefficient) > MAX_DIGITS) {
      coefficient /= 10n
      exponent += 1
    }
  }
  if (exponent < -EXPONENT_BIAS) {
    coefficient = divideHalfEven(coefficient, 10n ** BigInt(Math.min(-EXPONENT_BIAS - exponent, 40)))
    exponent = -EXPONENT_BIAS
  }
  if (coefficient === 0n) exponent = Math.min(exponent, 6111)
  while (exponent > 6111 && digitCount(coefficient) < MAX_DIGITS) {
    coefficient *= 10n
    exponent -= 1
  }
  if (exponent > 6111) return Decimal128.fromString(coefficient < 0n ? '-Infinity' : 'Infinity')
  return Decimal128.fromString(`${coefficient}E${exponent}`)
}

export function divideHalfEven (numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator
  const remainder = numerator % denominator
  const twice = (remainder < 0n ? -remainder : remainder) * 2n
  const magnitude = denominator < 0n ? -denominator : denominator
  const away = twice > magnitude || (twice === magnitude && (quotient & 1n) === 1n)
  if (!away) return quotient
  return (numerator < 0n) === (denominator < 0n) ? quotient + 1n : quotient - 1n
}

/** A double as a Decimal128 of 15 significant digits, which is how MongoDB converts ($toDecimal, mixed arithmetic). */
export function decimalFromNumber (value: number): Decimal | number {
  if (!Number.isFinite(value)) return value
  if (Number.isSafeInteger(value) && Math.abs(value) < 1e15) return { coefficient: BigInt(value), exponent: 0 }
  return parseDecimal(value.toPrecision(15))
}

/** Parses digits with an optional sign, point and exponent. */
export function parseDecimal (text: string): Decimal {
  const [mantissa = '0', power = '0'] = text.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  return { coefficient: BigInt(`${whole}${fraction}` || '0'), exponent: Number(power) - fraction.length }
}

export function decimalToNumber (value: Decimal): number {
  return Number(`${value.coefficient}e${value.exponent}`)
}

/** A finite double as an exact fraction: value = numerator / denominator. */
export function exactFraction (value: number): { numerator: bigint, denominator: bigint } {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  const bits = view.getBigUint64(0)
  const biased = Number((bits >> 52n) & 0x7ffn)
  const fraction = bits & 0xfffffffffffffn
  const significand = biased === 0 ? fraction : fraction | 0x10000000000000n
  const power = (biased === 0 ? 1 : biased) - 1075
  const signed = value < 0 ? -significand : significand
  return power >= 0
    ? { numerator: signed << BigInt(power), denominator: 1n }
    : { numerator: signed, denominator: 1n << BigInt(-power) }
}

/** Compares a decimal with a finite double, exactly. */
export function compareDecimalToNumber (left: Decimal, right: number): number {
  const near = decimalToNumber(left)
  // Numbers this far apart cannot change places by rounding; the rest is decided with integers.
  if (Math.abs(near - right) > Math.abs(right) * 1e-12 && Number.isFinite(near)) return near < right ? -1 : 1
  const { numerator, denominator } = exactFraction(right)
  const scale = 10n ** BigInt(Math.abs(left.exponent))
  const a = left.exponent >= 0 ? left.coefficient * scale * denominator : left.coefficient * denominator
  const b = left.exponent >= 0 ? numerator : numerator * scale
  return a < b ? -1 : a > b ? 1 : 0
}

export function compareDecimals (left: Decimal, right: Decimal): number {
  if (left.coefficient === 0n || right.coefficient === 0n || (left.coefficient < 0n) !== (right.coefficient < 0n)) {
    const a = left.coefficient === 0n ? 0 : left.coefficient < 0n ? -1 : 1
    const b = right.coefficient === 0n ? 0 : right.coefficient < 0n ? -1 : 1
    return a < b ? -1 : a > b ? 1 : 0
  }
  const gap = left.exponent - right.exponent
  const a = gap > 0 ? left.coefficient * 10n ** BigInt(gap) : left.coefficient
  const b = gap < 0 ? right.coefficient * 10n ** BigInt(-gap) : right.coefficient
  return a < b ? -1 : a > b ? 1 : 0
}
