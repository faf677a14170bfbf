import { Decimal128, Double, Int32, Long, Timestamp } from 'bson'
import { CommandError, ErrorCodes, type Document } from './semantics/index.js'
import { typeNameOf } from './semantics/values/types.js'

/** The JavaScript number a BSON number stands for, or undefined for anything else. */
export function asNumber (value: unknown): number | undefined {
  if (typeof value === 'number') return value
  if (value instanceof Int32 || value instanceof Double) return value.value
  if (value instanceof Long) return value.toNumber()
  if (value instanceof Decimal128) return Number(value.toString())
  if (typeof value === 'bigint') return Number(value)
  return undefined
}

/** A whole number argument; absent or null gives undefined. */
export function optionalInteger (args: Document, name: string): number | undefined {
  const value = args[name]
  if (value === undefined || value === null) return undefined
  const number = asNumber(value)
  if (number === undefined) throw wrongType(name, value, '[long, int, decimal, double]')
  return Math.trunc(number)
}

/** A boolean argument; numbers count as MongoDB counts them. */
export function optionalBoolean (args: Document, name: string): boolean | undefined {
  const value = args[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'boolean') return value
  const number = asNumber(value)
  if (number === undefined) throw wrongType(name, value, '[bool, long, int, decimal, double]')
  return number !== 0
}

export function optionalDocument (args: Document, name: string): Document | undefined {
  const value = args[name]
  if (value === undefined || value === null) return undefined
  if (!isPlainDocument(value)) throw wrongType(name, value, 'object')
  return value
}

export function optionalString (args: Document, name: string): string | undefined {
  const value = args[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw wrongType(name, value, 'string')
  return value
}

export function optionalArray (args: Document, name: string): unknown[] | undefined {
  const value = args[name]
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value)) throw wrongType(name, value, 'array')
  return value
}

export function requiredString (args: Document, name: string): string {
  const value = args[name]
  if (typeof value !== 'string') throw value === undefined ? missing(name) : wrongType(name, value, 'string')
  return value
}

export function requiredDocument (args: Document, name: string): Document {
  const value = optionalDocument(args, name)
  if (value === undefined) throw missing(name)
  return value
}

export function optionalTimestamp (args: Document, name: string): Timestamp | undefined {
  const value = args[name]
  if (value === undefined || value === null) return undefined
  if (!(value instanceof Timestamp)) throw wrongType(name, value, 'timestamp')
  return value
}

export function isPlainDocument (value: unknown): value is Document {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function missing (name: string): CommandError {
  return new CommandError(40414, `BSON field '${name}' is missing but a required field`)
}

function wrongType (name: string, value: unknown, expected: string): CommandError {
  return new CommandError(ErrorCodes.TypeMismatch, `BSON field '${name}' is the wrong type '${typeNameOf(value)}', expected type '${expected}'`)
}
