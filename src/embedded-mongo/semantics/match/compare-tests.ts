import { BSONSymbol, Double, Int32, ObjectId } from 'bson'
import { badValue } from '../errors.js'
import type { ValueTest } from '../paths/walk.js'
import type { Collation } from '../types.js'
import { compareValues, equalValues } from '../values/compare.js'
import { compareComparables, toComparable } from '../values/numbers.js'
import { isNumeric, Rank, rankOf } from '../values/types.js'

/** `$eq`: BSON equality within one type; null also means missing. */
export function equalTest (target: unknown, collation: Collation | undefined): ValueTest {
  if (target === null || target === undefined) return value => value === null || value === undefined
  if (typeof target === 'string' && collation === undefined) {
    return value => value === target || (value instanceof BSONSymbol && value.value === target)
  }
  if (typeof target === 'boolean') return value => value === target
  if (target instanceof ObjectId) return value => value instanceof ObjectId && target.equals(value)
  if (isNumeric(target)) return numberTest(target, order => order === 0, (a, b) => a === b)
  if (target instanceof Date) {
    const time = target.getTime()
    return value => value instanceof Date && value.getTime() === time
  }
  return value => value !== undefined && equalValues(value, target, collation)
}

export type OrderOperator = '$gt' | '$gte' | '$lt' | '$lte'

const accepts: Record<OrderOperator, (order: number) => boolean> = {
  $gt: order => order > 0,
  $gte: order => order >= 0,
  $lt: order => order < 0,
  $lte: order => order <= 0
}

const acceptsNumbers: Record<OrderOperator, (a: number, b: number) => boolean> = {
  $gt: (a, b) => a > b,
  $gte: (a, b) => a >= b,
  $lt: (a, b) => a < b,
  $lte: (a, b) => a <= b
}

/**
 * `$gt`, `$gte`, `$lt`, `$lte`: only values of the operand's own type are compared ("type bracketing"),
 * except that MinKey and MaxKey compare with everything. NaN is equal to NaN and else unordered.
 */
export function orderTest (operator: OrderOperator, target: unknown, collation: Collation | undefined): ValueTest {
  const accept = accepts[operator]
  const rank = rankOf(target)
  const inclusive = operator === '$gte' || operator === '$lte'
  switch (rank) {
    case Rank.regex: throw badValue(`Can't have RegEx as arg to predicate over field '${operator}'.`)
    case Rank.undefined:
    case Rank.null: return inclusive ? value => value === null || value === undefined : () => false
    case Rank.number: return numberTest(target, accept, acceptsNumbers[operator])
    case Rank.minKey:
    case Rank.maxKey: return value => accept(compareValues(value, target))
    case Rank.date: {
      const time = (target as Date).getTime()
      const compare = acceptsNumbers[operator]
      return value => value instanceof Date && compare(value.getTime(), time)
    }
    default: return value => rankOf(value) === rank && accept(compareValues(value, target, collation))
  }
}

function numberTest (target: unknown, accept: (order: number) => boolean, plain: (a: number, b: number) => boolean): ValueTest {
  const wanted = toComparable(target)
  const isNaN = typeof wanted === 'number' && Number.isNaN(wanted)
  const slow: ValueTest = value => {
    if (!isNumeric(value)) return false
    const number = toComparable(value)
    if (isNaN || (typeof number === 'number' && Number.isNaN(number))) {
      return isNaN && typeof number === 'number' && Number.isNaN(number) && accept(0)
    }
    return accept(compareComparables(number, wanted))
  }
  if (typeof wanted !== 'number' || isNaN) return slow
  return value => value instanceof Int32 || value instanceof Double ? plain(value.value, wanted) : slow(value)
}

/** `$in` without its regular expressions: hashed where values can be, else one by one. */
export function membershipTest (values: unknown[], collation: Collation | undefined): ValueTest {
  const strings = new Set<string>()
  const ids = new Set<string>()
  const numbers = new Set<number>()
  const others: ValueTest[] = []
  for (const value of values) {
    const number = isNumeric(value) ? toComparable(value) : undefined
    if (typeof value === 'string' && collation === undefined) strings.add(value)
    else if (value instanceof ObjectId) ids.add(value.toHexString())
    else if (typeof number === 'number') numbers.add(number)
    else others.push(equalTest(value, collation))
  }
  return value => {
    if (typeof value === 'string' && strings.has(value)) return true
    if (value instanceof ObjectId && ids.has(value.toHexString())) return true
    if (numbers.size > 0 && isNumeric(value)) {
      const number = toComparable(value)
      if (typeof number === 'number' && numbers.has(number)) return true
    }
    if (value instanceof BSONSymbol && strings.has(value.value)) return true
    for (const other of others) if (other(value)) return true
    return false
  }
}
