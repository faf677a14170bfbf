import { badValue, CommandError, ErrorCodes, failedToParse } from '../errors.js'
import { elementComparator } from '../expression/operators/array.js'
import { compileFilter, isOperatorDocument, elementTest } from '../match/compile.js'
import { isRegex, regexTest } from '../match/regex.js'
import type { ValueTest } from '../paths/walk.js'
import type { Collation, Document } from '../types.js'
import { equalValues } from '../values/compare.js'
import { toInteger, toNumber } from '../values/numbers.js'
import { isDocument, isNumeric, typeNameOf } from '../values/types.js'
import { describeId, type Modify, type ModifyContext } from './context.js'

interface PushClauses { each: unknown[], position: number | undefined, slice: number | undefined, compare: ((a: unknown, b: unknown) => number) | undefined }

function parsePush (operand: unknown, collation: Collation | undefined): PushClauses {
  if (!isDocument(operand) || !('$each' in operand)) return { each: [operand], position: undefined, slice: undefined, compare: undefined }
  for (const key of Object.keys(operand)) {
    if (!['$each', '$position', '$slice', '$sort'].includes(key)) throw badValue(`Unrecognized clause in $push: ${key}`)
  }
  const { $each: each, $position: position, $slice: slice, $sort: sort } = operand
  if (!Array.isArray(each)) throw badValue(`The argument to $each in $push must be an array but it was of type: ${typeNameOf(each)}`)
  return {
    each: each as unknown[],
    position: wholeClause('$position', position),
    slice: wholeClause('$slice', slice),
    compare: sort === undefined ? undefined : sortClause(sort, collation)
  }
}

function wholeClause (name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined
  const number = isNumeric(value) ? toInteger(value) : undefined
  if (number === undefined) throw badValue(`The value for ${name} must be an integer value but was given type: ${typeNameOf(value)}`)
  return number
}

function sortClause (sort: unknown, collation: Collation | undefined): (a: unknown, b: unknown) => number {
  if (isDocument(sort)) {
    for (const order of Object.values(sort)) {
      if (!isNumeric(order) || Math.abs(toNumber(order)) !== 1) throw badValue('The $sort element value must be either 1 or -1')
    }
    if (Object.keys(sort).length === 0) throw badValue('The $sort pattern is empty when it should be a set of fields.')
  } else if (!isNumeric(sort)) {
    throw badValue('The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields')
  }
  return elementComparator(sort, { collation })
}

/** `$push`: `$position` says where, then `$sort` orders, then `$slice` cuts. */
export function pushModifier (path: string, operand: unknown, collation: Collation | undefined): Modify {
  const { each, position, slice, compare } = parsePush(operand, collation)
  return (old, context) => {
    if (old !== undefined && !Array.isArray(old)) {
      throw badValue(`The field '${path}' must be an array but is of type ${typeNameOf(old)} in document ${describeId(context)}`)
    }
    const array = old === undefined ? [] : [...old as unknown[]]
    const at = position === undefined ? array.length : position < 0 ? Math.max(array.length + position, 0) : Math.min(position, array.length)
    const grown = [...array.slice(0, at), ...each, ...array.slice(at)]
    if (compare !== undefined) grown.sort(compare)
    if (slice === undefined) return grown
    return slice >= 0 ? grown.slice(0, slice) : grown.slice(slice)
  }
}

export function addToSetModifier (path: string, operand: unknown, collation: Collation | undefined): Modify {
  let values = [operand]
  if (isDocument(operand) && '$each' in operand) {
    const { $each: each } = operand
    if (!Array.isArray(each)) throw new CommandError(ErrorCodes.TypeMismatch, `The argument to $each in $addToSet must be an array but it was of type ${typeNameOf(each)}`)
    const extra = Object.keys(operand).find(key => key !== '$each')
    if (extra !== undefined) throw badValue(`Found unexpected fields after $each in $addToSet: ${extra}`)
    values = each as unknown[]
  }
  return (old, context) => {
    if (old !== undefined && !Array.isArray(old)) {
      throw badValue(`Cannot apply $addToSet to non-array field. Field named '${path}' has non-array type ${typeNameOf(old)} in document ${describeId(context)}`)
    }
    const array = old === undefined ? [] : [...old as unknown[]]
    for (const value of values) if (!array.some(item => equalValues(item, value, collation))) array.push(value)
    return array
  }
}

export function popModifier (path: string, operand: unknown): Modify {
  const direction = isNumeric(operand) ? toNumber(operand) : undefined
  if (direction === undefined) throw failedToParse(`Expected a number in: ${path}: ${String(operand)}`)
  if (direction !== 1 && direction !== -1) throw failedToParse(`$pop expects 1 or -1, found: ${direction}`)
  return old => {
    if (old === undefined) return undefined
    if (!Array.isArray(old)) throw new CommandError(ErrorCodes.TypeMismatch, `Path '${path}' contains an element of non-array type '${typeNameOf(old)}'`)
    return direction === 1 ? old.slice(0, -1) : old.slice(1)
  }
}

function pulling (test: ValueTest, name: string): Modify {
  return (old, _context: ModifyContext) => {
    if (old === undefined) return undefined
    if (!Array.isArray(old)) throw badValue(`Cannot apply ${name} to a non-array value`)
    return old.filter(item => !test(item))
  }
}

/** `$pull`: removes the elements that equal the operand or meet it as a condition. */
export function pullModifier (operand: unknown, collation: Collation | undefined): Modify {
  return pulling(pullTest(operand, collation), '$pull')
}

function pullTest (operand: unknown, collation: Collation | undefined): ValueTest {
  if (isRegex(operand)) return regexTest(operand)
  if (isOperatorDocument(operand) && !isLogical(operand)) {
    const test = elementTest(operand, { collation })
    return item => test([item])
  }
  if (isDocument(operand)) {
    const matches = compileFilter(operand, { collation })
    return item => isDocument(item) && matches(item)
  }
  return item => equalValues(item, operand, collation)
}

function isLogical (operand: Document): boolean {
  return Object.keys(operand).some(key => key === '$and' || key === '$or' || key === '$nor')
}

export function pullAllModifier (operand: unknown, collation: Collation | undefined): Modify {
  if (!Array.isArray(operand)) throw badValue(`$pullAll requires an array argument but was given a ${typeNameOf(operand)}`)
  return pulling(item => operand.some(value => equalValues(item, value, collation)), '$pullAll')
}
