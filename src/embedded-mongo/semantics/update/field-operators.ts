import { Double, Int32, Long, Timestamp } from 'bson'
import { badValue, CommandError, ErrorCodes, failedToParse, typeMismatch } from '../errors.js'
import { describe } from '../match/type-tests.js'
import type { Collation } from '../types.js'
import { add, multiply, numericTypeOf, packDecimal, packInteger, toBigInt } from '../values/arithmetic.js'
import { compareValues } from '../values/compare.js'
import { isDocument, isNumeric, typeNameOf } from '../values/types.js'
import { describeId, type Modify, type ModifyContext } from './context.js'

function isInteger (value: unknown): boolean {
  const type = numericTypeOf(value)
  return type === 'int' || type === 'long'
}

function needNumber (name: '$inc' | '$mul', path: string, old: unknown, context: ModifyContext): void {
  if (isNumeric(old)) return
  throw typeMismatch(`Cannot apply ${name} to a value of non-numeric type. ${describeId(context)} has the field '${path.slice(path.lastIndexOf('.') + 1)}' of non-numeric type ${typeNameOf(old)}`)
}

/** Whole numbers that no longer fit an int64 are an error in an update, where an expression makes a double. */
function checkOverflow (name: string, old: unknown, operand: unknown, result: unknown, context: ModifyContext): unknown {
  if (result instanceof Double && isInteger(old) && isInteger(operand)) {
    throw badValue(`Failed to apply ${name} operations to current value ((${typeNameOf(old) === 'int' ? 'NumberInt' : 'NumberLong'})${String(old)}) for document ${describeId(context)}`)
  }
  return result
}

export function incModifier (path: string, operand: unknown): Modify {
  if (!isNumeric(operand)) throw typeMismatch(`Cannot increment with non-numeric argument: {${path}: ${describe(operand)}}`)
  return (old, context) => {
    if (old === undefined) return operand
    needNumber('$inc', path, old, context)
    return checkOverflow('$inc', old, operand, add(old, operand), context)
  }
}

export function mulModifier (path: string, operand: unknown): Modify {
  if (!isNumeric(operand)) throw typeMismatch(`Cannot multiply with non-numeric argument: {${path}: ${describe(operand)}}`)
  return (old, context) => {
    if (old === undefined) return zeroOf(operand)
    needNumber('$mul', path, old, context)
    return checkOverflow('$mul', old, operand, multiply(old, operand), context)
  }
}

function zeroOf (operand: unknown): unknown {
  switch (numericTypeOf(operand)) {
    case 'long': return Long.ZERO
    case 'double': return new Double(0)
    case 'decimal': return packDecimal({ coefficient: 0n, exponent: 0 })
    default: return new Int32(0)
  }
}

export function extremeModifier (sign: 1 | -1, operand: unknown, collation: Collation | undefined): Modify {
  return old => old === undefined || compareValues(operand, old, collation) * sign > 0 ? operand : old
}

/** `$currentDate`: `true` or `{ $type: 'date' }` give a date, `{ $type: 'timestamp' }` a timestamp. */
export function currentDateModifier (path: string, operand: unknown, now: Date): Modify {
  const type = isDocument(operand) ? operand.$type : undefined
  if (typeof operand !== 'boolean' && !isDocument(operand)) throw badValue(`${typeNameOf(operand)} is not valid type for $currentDate. Please use a boolean ('true') or a $type expression ({$type: 'timestamp/date'}).`)
  if (isDocument(operand)) {
    const unknown = Object.keys(operand).find(key => key !== '$type')
    if (unknown !== undefined) throw badValue(`Unrecognized $currentDate option: ${unknown}`)
    if (type !== 'date' && type !== 'timestamp') throw badValue("The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {field : {$type: 'date'}}}")
  }
  if (type === 'timestamp') return () => new Timestamp({ t: Math.floor(now.getTime() / 1000), i: 1 })
  return () => now
}

type Combine = (a: bigint, b: bigint) => bigint
const bitOperations: Record<string, Combine> = { and: (a, b) => a & b, or: (a, b) => a | b, xor: (a, b) => a ^ b }

export function bitModifier (path: string, operand: unknown): Modify {
  if (!isDocument(operand)) throw badValue(`The $bit modifier is not compatible with a ${typeNameOf(operand)}. You must pass in an embedded document: {$bit: {field: {and/or/xor: #}}`)
  const entries = Object.entries(operand)
  if (entries.length === 0) throw badValue('You must pass in at least one bitwise operation. The format is: {$bit: {field: {and/or/xor: #}}')
  const operations = entries.map(([name, value]) => {
    const combine = bitOperations[name]
    if (combine === undefined) throw badValue(`The $bit modifier only supports 'and', 'or', and 'xor', not '${name}' which is an unknown operator: {${name}: ${describe(value)}}`)
    if (!isInteger(value)) throw badValue(`The $bit modifier field must be an Integer(32/64 bit); a '${typeNameOf(value)}' is not supported here: {${name}: ${describe(value)}}`)
    return { combine, value }
  })
  return (old, context) => {
    const start = old === undefined ? new Int32(0) : old
    if (!isInteger(start)) throw badValue(`Cannot apply $bit to a value of non-integral type.${describeId(context)} has the field ${path} of non-integer type ${typeNameOf(old)}`)
    return operations.reduce((current: unknown, { combine, value }) => {
      const long = numericTypeOf(current) === 'long' || numericTypeOf(value) === 'long'
      return packInteger(combine(toBigInt(current), toBigInt(value)), long ? 'long' : 'int')
    }, start)
  }
}

/** The target of a `$rename`, checked. */
export function renameTarget (path: string, operand: unknown): string {
  if (typeof operand !== 'string') throw badValue(`The 'to' field for $rename must be a string: ${path}: ${describe(operand)}`)
  if (operand.includes('\0')) throw badValue(`The 'to' field for $rename cannot contain an embedded null byte: ${path}`)
  if (operand === path) throw badValue(`The source and target field for $rename must differ: ${path}: "${operand}"`)
  for (const side of [path, operand]) {
    if (/(^|\.)\$/.test(side)) throw badValue(`The ${side === path ? 'source' : 'destination'} field for $rename may not be dynamic: ${side}`)
  }
  return operand
}

export function assertOperatorOperand (name: string, operand: unknown): asserts operand is Record<string, unknown> {
  if (!isDocument(operand)) {
    throw failedToParse(`Modifiers operate on fields but we found type ${typeNameOf(operand)} instead. For example: {$mod: {<field>: ...}} not {${name}: ${describe(operand)}}`)
  }
}

export function unknownModifier (name: string): CommandError {
  return new CommandError(ErrorCodes.FailedToParse, `Unknown modifier: ${name}. Expected a valid update modifier or pipeline-style update specified as an array`)
}
