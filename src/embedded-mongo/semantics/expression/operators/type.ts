import { Binary, Decimal128, Double, Int32, Long, ObjectId, Timestamp } from 'bson'
import { CommandError, ErrorCodes } from '../../errors.js'
import { truthy } from '../../match/truth.js'
import { numericTypeOf, packDecimal, toBigInt, toDecimal } from '../../values/arithmetic.js'
import { binaryParts, textOf } from '../../values/compare.js'
import { toNumber } from '../../values/numbers.js'
import { isDocument, isNumeric, typeNameOf, typeNamesByCode } from '../../values/types.js'
import { compileExpression } from '../compile.js'
import { parseIsoDate } from './date-parse.js'
import { formatIsoDate } from './date-format.js'
import { isNullish, unary, type Operator, type OperatorTable } from './define.js'

function conversionFailure (message: string): CommandError {
  return new CommandError(ErrorCodes.ConversionFailure, message)
}

function unsupported (value: unknown, target: string): CommandError {
  return conversionFailure(`Unsupported conversion from ${typeNameOf(value)} to ${target} in $convert with no onError value`)
}

function parseFailure (text: string, target: string): CommandError {
  return conversionFailure(`Failed to parse number '${text}' in $convert with no onError value: ${target === 'decimal' ? 'Bad digit' : 'Did not consume whole string.'}`)
}

function parseNumber (text: string, target: string): number {
  if (!/^[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|inf(inity)?|nan)$/i.test(text)) throw parseFailure(text, target)
  if (/^[+-]?inf/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  return Number(text)
}

function toInt (value: unknown): unknown {
  const whole = wholeNumber(value, 'int')
  if (whole < -2147483648n || whole > 2147483647n) throw conversionFailure('Conversion would overflow target type in $convert with no onError value: ' + String(whole))
  return new Int32(Number(whole))
}

function toLong (value: unknown): unknown {
  if (value instanceof Date) return Long.fromNumber(value.getTime())
  const whole = wholeNumber(value, 'long')
  if (BigInt.asIntN(64, whole) !== whole) throw conversionFailure('Conversion would overflow target type in $convert with no onError value: ' + String(whole))
  return Long.fromBigInt(whole)
}

function wholeNumber (value: unknown, target: string): bigint {
  if (typeof value === 'boolean') return value ? 1n : 0n
  if (typeof value === 'string') {
    if (!/^[+-]?\d+$/.test(value)) throw parseFailure(value, target)
    return BigInt(value.replace(/^\+/, ''))
  }
  const type = numericTypeOf(value)
  if (type === undefined) throw unsupported(value, target)
  if (type === 'int' || type === 'long') return toBigInt(value)
  if (type === 'decimal') {
    const exact = toDecimal(value)
    if (typeof exact === 'number') throw nonFinite()
    return exact.exponent >= 0 ? exact.coefficient * 10n ** BigInt(exact.exponent) : exact.coefficient / 10n ** BigInt(-exact.exponent)
  }
  const number = toNumber(value)
  if (!Number.isFinite(number)) throw nonFinite()
  return BigInt(Math.trunc(number))
}

function nonFinite (): CommandError {
  return conversionFailure('Attempt to convert NaN or infinity value to integer type in $convert with no onError value')
}

function toDouble (value: unknown): unknown {
  if (typeof value === 'boolean') return new Double(value ? 1 : 0)
  if (typeof value === 'string') return new Double(parseNumber(value, 'double'))
  if (value instanceof Date) return new Double(value.getTime())
  if (!isNumeric(value)) throw unsupported(value, 'double')
  return new Double(toNumber(value))
}

function toDecimalValue (value: unknown): unknown {
  if (value instanceof Decimal128) return value
  if (typeof value === 'boolean') return packDecimal({ coefficient: value ? 1n : 0n, exponent: 0 })
  if (value instanceof Date) return packDecimal({ coefficient: BigInt(value.getTime()), exponent: 0 })
  if (typeof value === 'string') {
    parseNumber(value, 'decimal')
    return Decimal128.fromStringWithRounding(value)
  }
  if (!isNumeric(value)) throw unsupported(value, 'decimal')
  return packDecimal(toDecimal(value))
}

function toText (value: unknown): unknown {
  switch (typeNameOf(value)) {
    case 'string': return value
    case 'symbol': return textOf(value)
    case 'bool': return String(value)
    case 'int':
    case 'long': return toBigInt(value).toString()
    case 'double': return formatDouble(toNumber(value))
    case 'decimal': return (value as Decimal128).toString()
    case 'objectId': return (value as ObjectId).toHexString()
    case 'date': return formatIsoDate(value as Date)
    case 'binData': {
      const { bytes, subtype } = binaryParts(value)
      if (subtype === Binary.SUBTYPE_UUID && bytes.length === 16) {
        return Buffer.from(bytes).toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
      }
      return Buffer.from(bytes).toString('base64')
    }
    default: throw unsupported(value, 'string')
  }
}

/** As C++ prints a double with 17 digits at most: 1, 2.5, 1e+20. */
export function formatDouble (value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  if (Object.is(value, -0)) return '-0'
  return String(value)
}

function toBool (value: unknown): unknown {
  return typeof value === 'boolean' ? value : !isNumeric(value) || truthy(value)
}

function toDate (value: unknown): unknown {
  if (value instanceof Date) return value
  if (value instanceof ObjectId) return value.getTimestamp()
  if (value instanceof Timestamp) return new Date(value.getHighBitsUnsigned() * 1000)
  if (typeof value === 'string') return parseIsoDate(value)
  const type = numericTypeOf(value)
  if (type === undefined || type === 'int') throw unsupported(value, 'date')
  return new Date(Number(wholeNumber(value, 'date')))
}

function toObjectId (value: unknown): unknown {
  if (value instanceof ObjectId) return value
  if (typeof value !== 'string') throw unsupported(value, 'objectId')
  if (!/^[0-9a-f]{24}$/i.test(value)) {
    const reason = value.length === 24 ? 'Invalid character found in hex string' : `Invalid string length for parsing to OID, expected 24 but found ${value.length}`
    throw conversionFailure(`Failed to parse objectId '${value}' in $convert with no onError value: ${reason}`)
  }
  return new ObjectId(value)
}

function toUuid (value: unknown): unknown {
  if (value instanceof Binary) return value
  if (typeof value !== 'string' || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) throw conversionFailure(`Input string '${String(value)}' is not a valid UUID in $convert with no onError value`)
  return new Binary(Buffer.from(value.replaceAll('-', ''), 'hex'), Binary.SUBTYPE_UUID)
}

const conversions: Record<string, (value: unknown) => unknown> = {
  double: toDouble,
  string: toText,
  objectId: toObjectId,
  bool: toBool,
  date: toDate,
  int: toInt,
  long: toLong,
  decimal: toDecimalValue,
  binData: toUuid
}

function targetName (to: unknown): string {
  const wanted: unknown = isDocument(to) ? to.type : to
  const name = isNumeric(wanted) ? typeNamesByCode.get(toNumber(wanted)) : wanted
  if (typeof name !== 'string') throw new CommandError(ErrorCodes.BadValue, `$convert's 'to' argument must be a string or number, but is ${typeNameOf(to)}`)
  if (conversions[name] === undefined) throw new CommandError(ErrorCodes.BadValue, `Unknown type name: ${name}`)
  return name
}

const convert: Operator = (operand, scope) => {
  if (!isDocument(operand)) throw new CommandError(ErrorCodes.FailedToParse, `$convert expects an object of named arguments but found: ${typeNameOf(operand)}`)
  for (const key of Object.keys(operand)) {
    if (!['input', 'to', 'onError', 'onNull', 'format', 'base', 'byteOrder'].includes(key)) throw new CommandError(ErrorCodes.FailedToParse, `$convert found an unknown argument: ${key}`)
  }
  for (const key of ['input', 'to']) {
    if (!(key in operand)) throw new CommandError(ErrorCodes.FailedToParse, `Missing '${key}' parameter to $convert`)
  }
  const input = compileExpression(operand.input, scope)
  const to = compileExpression(operand.to, scope)
  const onError = 'onError' in operand ? compileExpression(operand.onError, scope) : undefined
  const onNull = 'onNull' in operand ? compileExpression(operand.onNull, scope) : undefined
  return frame => {
    const value = input(frame)
    if (isNullish(value)) return onNull === undefined ? null : onNull(frame)
    const target = to(frame)
    if (isNullish(target)) return null
    const name = targetName(target)
    if (onError === undefined) return conversions[name]?.(value)
    try {
      return conversions[name]?.(value)
    } catch (error) {
      if (error instanceof CommandError && error.code === ErrorCodes.ConversionFailure) return onError(frame)
      throw error
    }
  }
}

function shorthand (name: string, target: string): Operator {
  return unary(name, value => isNullish(value) ? null : conversions[target]?.(value))
}

export const typeOperators: OperatorTable = {
  $type: unary('$type', typeNameOf),
  $isNumber: unary('$isNumber', isNumeric),
  $convert: convert,
  $toInt: shorthand('$toInt', 'int'),
  $toLong: shorthand('$toLong', 'long'),
  $toDouble: shorthand('$toDouble', 'double'),
  $toDecimal: shorthand('$toDecimal', 'decimal'),
  $toString: shorthand('$toString', 'string'),
  $toBool: shorthand('$toBool', 'bool'),
  $toDate: shorthand('$toDate', 'date'),
  $toObjectId: shorthand('$toObjectId', 'objectId'),
  $toUUID: shorthand('$toUUID', 'binData')
}
