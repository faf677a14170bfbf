import { badValue, CommandError, ErrorCodes, failedToParse } from '../errors.js'
import type { ValueTest } from '../paths/walk.js'
import { binaryParts } from '../values/compare.js'
import { toComparable, toNumber, type Comparable } from '../values/numbers.js'
import { isDocument, isNumeric, Rank, rankOf, typeNameOf, typeNamesByCode } from '../values/types.js'

const typeNames = new Set([...typeNamesByCode.values()])
const numberTypes = ['int', 'long', 'double', 'decimal']

/** The set of type names that a `$type` operand (name, number, `number`, or a list of them) means. */
export function parseTypes (operand: unknown): Set<string> {
  const wanted = new Set<string>()
  const list = Array.isArray(operand) ? operand : [operand]
  if (list.length === 0) throw failedToParse('$type must match at least one type')
  for (const item of list as unknown[]) {
    if (typeof item === 'string') {
      if (item === 'number') for (const name of numberTypes) wanted.add(name)
      else if (typeNames.has(item)) wanted.add(item)
      else throw badValue(`Unknown type name alias: ${item}`)
    } else if (isNumeric(item)) {
      const name = typeNamesByCode.get(toNumber(item))
      if (name === undefined) throw badValue(`Invalid numerical type code: ${toNumber(item)}`)
      wanted.add(name)
    } else {
      throw new CommandError(ErrorCodes.TypeMismatch, 'type must be represented as a number or a string')
    }
  }
  return wanted
}

export function typeTest (operand: unknown): ValueTest {
  const wanted = parseTypes(operand)
  return value => value !== undefined && wanted.has(typeNameOf(value))
}

/** `$mod: [divisor, remainder]`, both cut to integers, as are the values. */
export function modTest (operand: unknown): ValueTest {
  if (!Array.isArray(operand)) throw badValue('malformed mod, needs to be an array')
  if (operand.length < 2) throw badValue('malformed mod, not enough elements')
  if (operand.length > 2) throw badValue('malformed mod, too many elements')
  const [first, second] = operand as unknown[]
  if (!isNumeric(first)) throw badValue('malformed mod, divisor not a number')
  if (!isNumeric(second)) throw badValue('malformed mod, remainder not a number')
  const divisor = truncate(toComparable(first))
  const remainder = truncate(toComparable(second))
  if (divisor === undefined) throw badValue('malformed mod, divisor value is invalid :: caused by :: Unable to coerce NaN/Inf to integral type')
  if (remainder === undefined) throw badValue('malformed mod, remainder value is invalid :: caused by :: Unable to coerce NaN/Inf to integral type')
  if (divisor === 0n) throw badValue('divisor cannot be 0')
  const small = Number(divisor)
  const rest = Number(remainder)
  const safe = Number.isSafeInteger(small) && Number.isSafeInteger(rest)
  return value => {
    if (!isNumeric(value)) return false
    const number = toComparable(value)
    if (safe && typeof number === 'number' && Math.abs(number) <= Number.MAX_SAFE_INTEGER) return Math.trunc(number) % small === rest || (rest === 0 && Math.trunc(number) % small === 0)
    const whole = truncate(number)
    return whole !== undefined && whole % divisor === remainder
  }
}

function truncate (number: Comparable): bigint | undefined {
  if (typeof number === 'bigint') return number
  if (typeof number === 'number') return Number.isFinite(number) ? BigInt(Math.trunc(number)) : undefined
  return number.exponent >= 0 ? number.coefficient * 10n ** BigInt(number.exponent) : number.coefficient / 10n ** BigInt(-number.exponent)
}

export function sizeTest (operand: unknown): ValueTest {
  const size = toNumber(operand)
  if (!isNumeric(operand) || !Number.isInteger(size)) throw failedToParse(`Failed to parse $size. Expected an integer in: $size: ${describe(operand)}`)
  if (size < 0) throw failedToParse(`Failed to parse $size. Expected a non-negative number in: $size: ${size}`)
  return value => Array.isArray(value) && value.length === size
}

export function describe (value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(describe).join(', ')}]`
  if (isDocument(value)) return `{ ${Object.entries(value).map(([name, item]) => `${name}: ${describe(item)}`).join(', ')} }`
  if (value instanceof Date) return `new Date(${value.getTime()})`
  const rank = rankOf(value)
  if (rank === Rank.objectId) return `ObjectId('${String(value)}')`
  return rank === Rank.minKey ? 'MinKey' : rank === Rank.maxKey ? 'MaxKey' : String(value)
}

export type BitsOperator = '$bitsAllSet' | '$bitsAllClear' | '$bitsAnySet' | '$bitsAnyClear'

/** `$bits…` with a mask as number, BinData or list of positions; tests integers (sign-extended) and BinData. */
export function bitsTest (operator: BitsOperator, operand: unknown): ValueTest {
  const mask = parseMask(operator, operand)
  return value => {
    const bits = bitsOf(value)
    if (bits === undefined) return false
    const set = BigInt.asUintN(Math.max(bitLength(mask), 1), bits) & mask
    switch (operator) {
      case '$bitsAllSet': return set === mask
      case '$bitsAllClear': return set === 0n
      case '$bitsAnySet': return set !== 0n
      default: return set !== mask
    }
  }
}

function bitLength (mask: bigint): number {
  return mask.toString(2).length
}

function parseMask (operator: string, operand: unknown): bigint {
  if (Array.isArray(operand)) {
    let mask = 0n
    for (const item of operand as unknown[]) {
      const position = toNumber(item)
      if (!isNumeric(item) || !Number.isInteger(position)) throw badValue(`Failed to parse bit position. Expected a number in: ${operator}: ${describe(item)}`)
      if (position < 0 || position > 0x7fffffff) throw badValue(`Failed to parse bit position. Expected a non-negative number in: ${operator}: ${position}`)
      mask |= 1n << BigInt(Math.min(position, 100000))
    }
    return mask
  }
  if (rankOf(operand) === Rank.binary) return littleEndian(binaryParts(operand).bytes)
  if (!isNumeric(operand)) throw badValue(`${operator} takes an Array, a number, or a BinData but received: ${operator}: ${describe(operand)}`)
  const number = truncate(toComparable(operand))
  if (number === undefined || !Number.isInteger(toNumber(operand))) throw failedToParse(`Expected an integer: ${operator}: ${describe(operand)}`)
  if (number < 0n) throw failedToParse(`Expected a non-negative number in: ${operator}: ${describe(operand)}`)
  return number
}

function bitsOf (value: unknown): bigint | undefined {
  if (rankOf(value) === Rank.binary) return littleEndian(binaryParts(value).bytes)
  if (!isNumeric(value)) return undefined
  const number = toComparable(value)
  if (typeof number === 'number' && !Number.isInteger(number)) return undefined
  const whole = truncate(number)
  if (whole === undefined || BigInt.asIntN(64, whole) !== whole) return undefined
  return whole
}

function littleEndian (bytes: Uint8Array): bigint {
  const hex = Buffer.from(bytes).reverse().toString('hex')
  return hex === '' ? 0n : BigInt(`0x${hex}`)
}
