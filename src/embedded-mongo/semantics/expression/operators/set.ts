import { CommandError } from '../../errors.js'
import { truthy } from '../../match/truth.js'
import { compareValues, equalValues } from '../../values/compare.js'
import { typeNameOf } from '../../values/types.js'
import type { Scope } from '../scope.js'
import { binary, isNullish, unary, variadic, type OperatorTable } from './define.js'

/** Sorted and without repetitions: what a set operator makes of an array. */
export function distinct (items: unknown[], { collation }: Pick<Scope, 'collation'>): unknown[] {
  const sorted = [...items].sort((a, b) => compareValues(a, b, collation))
  return sorted.filter((item, index) => index === 0 || !equalValues(item, sorted[index - 1], collation))
}

function needSet (value: unknown, code: number, name: string, which = 'All operands'): unknown[] {
  if (!Array.isArray(value)) throw new CommandError(code, `${which} of ${name} must be arrays. One argument is of type: ${typeNameOf(value)}`)
  return value as unknown[]
}

function contains (set: unknown[], wanted: unknown, { collation }: Scope): boolean {
  let low = 0
  let high = set.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const order = compareValues(set[middle], wanted, collation)
    if (order === 0) return true
    if (order < 0) low = middle + 1
    else high = middle - 1
  }
  return false
}

function elementsTrue (name: string, code: number, every: boolean) {
  return unary(name, value => {
    if (!Array.isArray(value)) throw new CommandError(code, `${name}'s argument must be an array, but is ${typeNameOf(value)}`)
    return every ? value.every(truthy) : value.some(truthy)
  })
}

export const setOperators: OperatorTable = {
  $setUnion: variadic('$setUnion', (values, scope) => {
    if (values.some(isNullish)) return null
    return distinct(values.flatMap(value => needSet(value, 17043, '$setUnion')), scope)
  }),
  $setIntersection: variadic('$setIntersection', (values, scope) => {
    if (values.some(isNullish)) return null
    const sets = values.map(value => distinct(needSet(value, 17047, '$setIntersection'), scope))
    const [first = [], ...rest] = sets
    return first.filter(item => rest.every(set => contains(set, item, scope)))
  }),
  $setDifference: binary('$setDifference', (a, b, scope) => {
    if (isNullish(a) || isNullish(b)) return null
    const second = distinct(needSet(b, 17049, '$setDifference', 'both operands'), scope)
    const seen: unknown[] = []
    for (const item of needSet(a, 17048, '$setDifference', 'both operands')) {
      if (!contains(second, item, scope) && !seen.some(other => equalValues(other, item, scope.collation))) seen.push(item)
    }
    return seen
  }),
  $setEquals: variadic('$setEquals', (values, scope) => {
    const [first = [], ...rest] = values.map(value => distinct(needSet(value, 17044, '$setEquals'), scope))
    return rest.every(set => equalValues(set, first, scope.collation))
  }, 2),
  $setIsSubset: binary('$setIsSubset', (a, b, scope) => {
    const second = distinct(needSet(b, 17042, '$setIsSubset', 'both operands'), scope)
    return needSet(a, 17046, '$setIsSubset', 'both operands').every(item => contains(second, item, scope))
  }),
  $allElementsTrue: elementsTrue('$allElementsTrue', 17040, true),
  $anyElementTrue: elementsTrue('$anyElementTrue', 17041, false)
}
