import { Binary, Int32, Long, Timestamp } from 'bson'
import { CommandError, ErrorCodes } from '../../errors.js'
import type { Document } from '../../types.js'
import { wrapInteger } from '../../values/arithmetic.js'
import { serializeDocument } from '../../values/codec.js'
import { binaryParts } from '../../values/compare.js'
import { getField, isDocument, setField, typeNameOf } from '../../values/types.js'
import { compileExpression } from '../compile.js'
import { CURRENT, type Evaluate, type Scope } from '../scope.js'
import { isNullish, unaryOrNull, variadic, type Operator, type OperatorTable } from './define.js'

function mergeObjects (values: unknown[]): unknown {
  // A single array argument is the list of documents itself.
  const list: unknown[] = values.length === 1 && Array.isArray(values[0]) ? values[0] : values
  const merged: Document = {}
  for (const value of list) {
    if (isNullish(value)) continue
    if (!isDocument(value)) throw new CommandError(40400, `$mergeObjects requires object inputs, but input ${String(value)} is of type ${typeNameOf(value)}`)
    for (const [name, field] of Object.entries(value)) setField(merged, name, field)
  }
  return merged
}

function fieldName (name: string, operand: unknown, scope: Scope): string {
  const constant = isDocument(operand) && '$literal' in operand ? operand.$literal : isDocument(operand) && '$const' in operand ? operand.$const : operand
  if (typeof constant === 'string' && constant.startsWith('$') && constant === operand) {
    throw new CommandError(5654600, `A field path reference which is not allowed in this context. Did you mean {$literal: '${constant}'}?`)
  }
  const value = typeof constant === 'string' ? constant : compileExpression(operand, scope)([])
  if (typeof value !== 'string') throw new CommandError(3041704, `${name} requires 'field' to evaluate to type String, but got ${typeNameOf(value)}`)
  return value
}

const getFieldOperator: Operator = (operand, scope) => {
  const full = isDocument(operand) && 'field' in operand
  const name = fieldName('$getField', full ? operand.field : operand, scope)
  const input: Evaluate = full && 'input' in operand ? compileExpression(operand.input, scope) : frame => frame[CURRENT]
  return frame => {
    const value = input(frame)
    if (isNullish(value)) return value
    return isDocument(value) ? getField(value, name) : undefined
  }
}

function fieldSetter (name: '$setField' | '$unsetField'): Operator {
  return (operand, scope) => {
    if (!isDocument(operand)) throw new CommandError(4161100, `${name} only supports an object as its argument`)
    for (const key of Object.keys(operand)) {
      if (!['field', 'input', 'value'].includes(key)) throw new CommandError(4161101, `${name} found an unknown argument: ${key}`)
    }
    const required = name === '$setField' ? ['field', 'input', 'value'] : ['field', 'input']
    for (const key of required) if (!(key in operand)) throw new CommandError(4161102, `${name} requires '${key}' to be specified`)
    const field = fieldName(name, operand.field, scope)
    const input = compileExpression(operand.input, scope)
    const value = name === '$setField' ? compileExpression(operand.value, scope) : () => undefined
    return frame => {
      const doc = input(frame)
      if (isNullish(doc)) return null
      if (!isDocument(doc)) throw new CommandError(4161105, `${name} requires 'input' to evaluate to type Object`)
      const copy = { ...doc }
      const next = value(frame)
      if (next === undefined) delete copy[field]
      else setField(copy, field, next)
      return copy
    }
  }
}

function javaScript (): never {
  throw new CommandError(31264, 'Cannot run server-side javascript without the javascript engine enabled')
}

export const objectOperators: OperatorTable = {
  $mergeObjects: variadic('$mergeObjects', mergeObjects),
  $getField: getFieldOperator,
  $setField: fieldSetter('$setField'),
  $unsetField: fieldSetter('$unsetField'),
  $bsonSize: unaryOrNull('$bsonSize', value => {
    if (!isDocument(value)) throw new CommandError(31393, `$bsonSize requires a document input, found: ${typeNameOf(value)}`)
    return wrapInteger(serializeDocument(value).length)
  }),
  $binarySize: unaryOrNull('$binarySize', value => {
    if (typeof value === 'string') return wrapInteger(Buffer.byteLength(value))
    if (!(value instanceof Binary)) throw new CommandError(51276, `$binarySize requires a string or BinData argument, found: ${typeNameOf(value)}`)
    return wrapInteger(binaryParts(value).bytes.length)
  }),
  $tsSecond: unaryOrNull('$tsSecond', value => {
    if (!(value instanceof Timestamp)) throw new CommandError(5687301, ' Argument to $tsSecond must be a timestamp, but is ' + typeNameOf(value))
    return Long.fromNumber(value.getHighBitsUnsigned())
  }),
  $tsIncrement: unaryOrNull('$tsIncrement', value => {
    if (!(value instanceof Timestamp)) throw new CommandError(5687302, ' Argument to $tsIncrement must be a timestamp, but is ' + typeNameOf(value))
    return Long.fromNumber(value.getLowBitsUnsigned())
  }),
  $meta: operand => {
    if (operand === 'indexKey' || operand === 'recordId' || operand === 'randVal') return () => operand === 'randVal' ? new Int32(0) : undefined
    throw new CommandError(ErrorCodes.CommandNotSupported, `$meta is not supported: ${String(operand)}`)
  },
  $function: javaScript,
  $accumulator: javaScript
}
