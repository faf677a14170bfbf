import { Int32 } from 'bson'
import { badValue, CommandError } from '../../errors.js'
import { truthy } from '../../match/truth.js'
import { wrapInteger } from '../../values/arithmetic.js'
import { compareValues, equalValues } from '../../values/compare.js'
import { toInteger, toNumber } from '../../values/numbers.js'
import { isDocument, isNumeric, setField, typeNameOf } from '../../values/types.js'
import { compileSort } from '../../sort.js'
import { compileExpression } from '../compile.js'
import { bindVariable, type Evaluate, type Scope } from '../scope.js'
import { assertVariableName } from './logic.js'
import { binary, isNullish, named, unary, unaryOrNull, variadic, type OperatorTable } from './define.js'

function needArray (value: unknown, code: number, message: string): unknown[] {
  if (!Array.isArray(value)) throw new CommandError(code, `${message}${typeNameOf(value)}`)
  return value as unknown[]
}

function elementAt (array: unknown, position: unknown): unknown {
  if (isNullish(array) || isNullish(position)) return null
  const items = needArray(array, 28689, '$arrayElemAt\'s first argument must be an array, but is ')
  if (!isNumeric(position)) throw new CommandError(28690, `$arrayElemAt's second argument must be a numeric value, but is ${typeNameOf(position)}`)
  const index = toInteger(position)
  if (index === undefined) throw new CommandError(28691, `$arrayElemAt's second argument must be representable as a 32-bit integer: ${toNumber(position)}`)
  return items.at(index)
}

function slice (values: unknown[]): unknown {
  const [array, first, second] = values
  if (values.some(isNullish)) return null
  const items = needArray(array, 28724, 'First argument to $slice must be an array, but is of type: ')
  const from = sliceNumber(first, 28725, 28726, 'Second')
  if (values.length === 2) return from >= 0 ? items.slice(0, from) : items.slice(from)
  const count = sliceNumber(second, 28727, 28728, 'Third')
  if (count <= 0) throw new CommandError(28729, `Third argument to $slice must be positive: ${count}`)
  const start = from < 0 ? Math.max(items.length + from, 0) : from
  return items.slice(start, start + count)
}

function sliceNumber (value: unknown, code: number, wholeCode: number, which: string): number {
  if (!isNumeric(value)) throw new CommandError(code, `${which} argument to $slice must be numeric, but is of type: ${typeNameOf(value)}`)
  const number = toInteger(value)
  if (number === undefined) throw new CommandError(wholeCode, `${which} argument to $slice can't be represented as a 32-bit integer: ${toNumber(value)}`)
  return number
}

function indexOfArray (values: unknown[], scope: Scope): unknown {
  const [array, wanted, start = new Int32(0), end] = values
  if (isNullish(array)) return null
  const items = needArray(array, 40090, '$indexOfArray requires an array as a first argument, found: ')
  const from = boundary(start, 40096, 40097, 'starting')
  const to = Math.min(end === undefined ? items.length : boundary(end, 40096, 40097, 'ending'), items.length)
  for (let i = from; i < to; i++) if (equalValues(items[i], wanted, scope.collation)) return wrapInteger(i)
  return new Int32(-1)
}

export function boundary (value: unknown, code: number, negativeCode: number, which: string): number {
  const number = isNumeric(value) ? toInteger(value) : undefined
  if (number === undefined) throw new CommandError(code, `$indexOf requires an integral ${which} index, found a value of type: ${typeNameOf(value)}, with value: "${String(value)}"`)
  if (number < 0) throw new CommandError(negativeCode, `$indexOf requires a nonnegative ${which} index, found: ${number}`)
  return number
}

function range (values: unknown[]): unknown {
  const [start, end, step] = ['starting', 'ending', 'step'].map((which, index) => {
    const value = values[index]
    if (value === undefined && index === 2) return 1
    const number = isNumeric(value) ? toInteger(value) : undefined
    if (number === undefined) throw new CommandError(isNumeric(value) ? 34444 + index : 34443 + index, `$range requires a numeric ${which} value, found value of type: ${typeNameOf(value)}`)
    return number
  }) as [number, number, number]
  if (step === 0) throw new CommandError(34449, '$range requires a non-zero step value')
  const length = Math.max(0, Math.ceil((end - start) / step))
  if (length > 4_000_000) throw new CommandError(146, `$range would use too much memory (${length * 16} bytes) and cannot spill to disk. Memory limit: 104857600 bytes`)
  return Array.from({ length }, (_, index) => wrapInteger(start + index * step))
}

function elementOperand (operand: unknown, name: string, codes: { object: number, unknown: number }, keys: string[], optional: string[]): Record<string, unknown> {
  if (!isDocument(operand)) throw new CommandError(codes.object, `${name} only supports an object as its argument`)
  for (const key of Object.keys(operand)) {
    if (!keys.includes(key) && !optional.includes(key)) throw new CommandError(codes.unknown, `Unrecognized parameter to ${name}: ${key}`)
  }
  for (const key of keys) {
    if (!(key in operand)) throw new CommandError(codes.unknown + 1, `Missing '${key}' parameter to ${name}`)
  }
  return operand
}

function itemVariable (operand: Record<string, unknown>, scope: Scope): { scope: Scope, slot: number } {
  const name = operand.as === undefined ? 'this' : String(operand.as)
  assertVariableName(name)
  return bindVariable(scope, name)
}

function filterOperator (operand: unknown, scope: Scope): Evaluate {
  const spec = elementOperand(operand, '$filter', { object: 28646, unknown: 28647 }, ['input', 'cond'], ['as', 'limit'])
  const input = compileExpression(spec.input, scope)
  const limit = spec.limit === undefined ? undefined : compileExpression(spec.limit, scope)
  const item = itemVariable(spec, scope)
  const condition = compileExpression(spec.cond, item.scope)
  return frame => {
    const array = input(frame)
    if (isNullish(array)) return null
    const items = needArray(array, 28651, 'input to $filter must be an array not ')
    const most = limit === undefined ? Infinity : filterLimit(limit(frame))
    const kept: unknown[] = []
    for (const value of items) {
      if (kept.length >= most) break
      frame[item.slot] = value
      if (truthy(condition(frame))) kept.push(value)
    }
    return kept
  }
}

function filterLimit (value: unknown): number {
  if (isNullish(value)) return Infinity
  const number = isNumeric(value) ? toInteger(value) : undefined
  if (number === undefined) throw new CommandError(327391, `$filter: limit must be represented as a 32-bit integral value: ${String(value)}`)
  if (number <= 0) throw new CommandError(327392, `$filter: limit must be greater than 0: ${number}`)
  return number
}

function mapOperator (operand: unknown, scope: Scope): Evaluate {
  const spec = elementOperand(operand, '$map', { object: 16878, unknown: 16879 }, ['input', 'in'], ['as'])
  const input = compileExpression(spec.input, scope)
  const item = itemVariable(spec, scope)
  const body = compileExpression(spec.in, item.scope)
  return frame => {
    const array = input(frame)
    if (isNullish(array)) return null
    const items = needArray(array, 16883, 'input to $map must be an array not ')
    return items.map(value => {
      frame[item.slot] = value
      return body(frame) ?? null
    })
  }
}

function reduceOperator (operand: unknown, scope: Scope): Evaluate {
  const spec = elementOperand(operand, '$reduce', { object: 40075, unknown: 40076 }, ['input', 'initialValue', 'in'], [])
  const input = compileExpression(spec.input, scope)
  const initial = compileExpression(spec.initialValue, scope)
  const item = bindVariable(scope, 'this')
  const total = bindVariable(item.scope, 'value')
  const body = compileExpression(spec.in, total.scope)
  return frame => {
    const array = input(frame)
    if (isNullish(array)) return null
    let value = initial(frame)
    for (const element of needArray(array, 40080, "$reduce requires that 'input' be an array, found: ")) {
      frame[item.slot] = element
      frame[total.slot] = value
      value = body(frame)
    }
    return value
  }
}

/** `$sortArray`: by fields if the elements are documents, or by value with `1` or `-1`. */
function sortArrayOperator (operand: unknown, scope: Scope): Evaluate {
  const spec = elementOperand(operand, '$sortArray', { object: 2942500, unknown: 2942501 }, ['input', 'sortBy'], [])
  const input = compileExpression(spec.input, scope)
  const compare = elementComparator(spec.sortBy, scope)
  return frame => {
    const array = input(frame)
    if (isNullish(array)) return null
    return [...needArray(array, 2942504, 'The input argument to $sortArray must be an array, but was of type: ')].sort(compare)
  }
}

/** Compares array elements as `$sortArray` and `$push … $sort` do: documents by fields, anything by value. */
export function elementComparator (sortBy: unknown, { collation }: Pick<Scope, 'collation'>): (a: unknown, b: unknown) => number {
  if (isDocument(sortBy)) {
    const compare = compileSort(sortBy, { collation })
    const asDocument = (value: unknown) => isDocument(value) ? value : {}
    return (a, b) => compare(asDocument(a), asDocument(b))
  }
  const direction = isNumeric(sortBy) ? toNumber(sortBy) : 0
  if (direction !== 1 && direction !== -1) throw badValue('The $sort element value must be either 1 or -1')
  return (a, b) => compareValues(a, b, collation) * direction
}

function zip (values: Record<string, unknown>): unknown {
  const { inputs, useLongestLength, defaults } = values
  if (isNullish(inputs)) return null
  const arrays = needArray(inputs, 34461, 'inputs must be an array of expressions, found ')
  if (arrays.some(isNullish)) return null
  if (!isNullish(defaults) && useLongestLength !== true) throw new CommandError(34466, 'cannot specify defaults unless useLongestLength is true')
  const lists = arrays.map(item => needArray(item, 34468, '$zip found a non-array expression in input: '))
  const lengths = lists.map(list => list.length)
  const length = lists.length === 0 ? 0 : useLongestLength === true ? Math.max(...lengths) : Math.min(...lengths)
  const fill = Array.isArray(defaults) ? defaults as unknown[] : []
  return Array.from({ length }, (_, row) => lists.map((list, column) => row < list.length ? list[row] : fill[column] ?? null))
}

function arrayToObject (value: unknown): unknown {
  const items = needArray(value, 40386, '$arrayToObject requires an array input, found: ')
  const result: Record<string, unknown> = {}
  for (const item of items) {
    const [key, field] = Array.isArray(item) ? item as unknown[] : isDocument(item) ? [item.k, item.v] : [undefined, undefined]
    if (Array.isArray(item) ? item.length !== 2 : !isDocument(item) || Object.keys(item).length !== 2 || !('k' in item) || !('v' in item)) {
      throw new CommandError(Array.isArray(item) ? 40397 : 40392, '$arrayToObject requires an array of key-value pairs, where each is an array of two or a document with \'k\' and \'v\'')
    }
    if (typeof key !== 'string') throw new CommandError(40395, `$arrayToObject requires an array of key-value pairs, where the key must be of type string. Found key type: ${typeNameOf(key)}`)
    if (key.includes('\0')) throw new CommandError(4940400, 'Key field cannot contain an embedded null byte')
    setField(result, key, field)
  }
  return result
}

function countOf (name: string, value: unknown): number {
  const number = isNumeric(value) ? toInteger(value) : undefined
  if (number === undefined) throw new CommandError(5787902, `Value for 'n' must be of integral type, but found ${String(value)}`)
  if (number <= 0) throw new CommandError(5787908, `'n' must be greater than 0, found ${number}`)
  return number
}

function takeN (name: string, take: (items: unknown[], count: number, scope: Scope) => unknown[]) {
  return named(name, ['n', 'input'], [], ({ n, input }, scope) => {
    const count = countOf(name, n)
    if (isNullish(input) && name !== '$maxN') throw new CommandError(5788200, 'Input must be an array')
    return take(needArray(input, 5788200, 'Input must be an array, found '), count, scope)
  }, { unknown: 5787901, missing: 5787906, notObject: 5787900 })
}

/** Compiles its array with `$$this` free, for operators that test whether something is in it. */
function inOperator (a: unknown, b: unknown, scope: Scope): unknown {
  if (!Array.isArray(b)) throw new CommandError(40081, `$in requires an array as a second argument, found: ${typeNameOf(b)}`)
  return b.some(item => equalValues(item, a, scope.collation))
}

function firstOrLast (name: '$first' | '$last') {
  return unaryOrNull(name, value => {
    const items = needArray(value, 28689, `${name}'s argument must be an array, but is `)
    return name === '$first' ? items[0] : items.at(-1)
  })
}

export const arrayOperators: OperatorTable = {
  $arrayElemAt: binary('$arrayElemAt', elementAt),
  $arrayToObject: unaryOrNull('$arrayToObject', arrayToObject),
  $concatArrays: variadic('$concatArrays', values => {
    if (values.some(isNullish)) return null
    return values.flatMap(value => needArray(value, 28664, '$concatArrays only supports arrays, not '))
  }),
  $filter: filterOperator,
  $first: firstOrLast('$first'),
  $last: firstOrLast('$last'),
  $firstN: takeN('$firstN', (items, count) => items.slice(0, count)),
  $lastN: takeN('$lastN', (items, count) => items.slice(-count)),
  $maxN: takeN('$maxN', (items, count, { collation }) => items.filter(item => !isNullish(item)).sort((a, b) => compareValues(b, a, collation)).slice(0, count)),
  $minN: takeN('$minN', (items, count, { collation }) => items.filter(item => !isNullish(item)).sort((a, b) => compareValues(a, b, collation)).slice(0, count)),
  $in: binary('$in', inOperator),
  $indexOfArray: variadic('$indexOfArray', indexOfArray, 2, 4),
  $isArray: unary('$isArray', value => Array.isArray(value)),
  $map: mapOperator,
  $objectToArray: unaryOrNull('$objectToArray', value => {
    if (!isDocument(value)) throw new CommandError(40390, `$objectToArray requires a document input, found: ${typeNameOf(value)}`)
    return Object.entries(value).map(([k, v]) => ({ k, v }))
  }),
  $range: variadic('$range', range, 2, 3),
  $reduce: reduceOperator,
  $reverseArray: unaryOrNull('$reverseArray', value => needArray(value, 34435, 'The argument to $reverseArray must be an array, but was of type: ').toReversed()),
  $size: unary('$size', value => wrapInteger(needArray(value, 17124, 'The argument to $size must be an array, but was of type: ').length)),
  $slice: variadic('$slice', slice, 2, 3),
  $sortArray: sortArrayOperator,
  $zip: named('$zip', ['inputs'], ['useLongestLength', 'defaults'], zip, { notObject: 34460, unknown: 34464, missing: 34465 })
}
