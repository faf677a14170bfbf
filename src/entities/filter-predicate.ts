import { parseFilter, type Condition, type FilterValue } from './filter-conditions.js'

/**
 * A client's filter as a test of plain objects, with MongoDB's meaning: a list matches
 * when one of its items does, values of another type never compare, null means missing too.
 * @throws BAD_FILTER
 */
export function compilePredicate (filter: unknown): (document: Record<string, unknown>) => boolean {
  const tests = parseFilter(filter).map(compileTest)
  return (document) => tests.every((test) => test(document))
}

function compileTest ({ field, operator, operand }: Condition): (document: Record<string, unknown>) => boolean {
  const listed = Array.isArray(operand) ? operand : [operand]
  const wanted = listed.map(comparable)
  const bound = wanted[0] ?? null
  const read = listed.some((value) => value instanceof Date) ? readTime : (value: unknown) => value
  const valueOf = (document: Record<string, unknown>) => Object.hasOwn(document, field) ? read(document[field]) : undefined
  const equals = (value: unknown) => wanted.some((one) => one === null ? value === undefined || hasItem(value, (item) => item === null) : hasItem(value, (item) => item === one))
  const compares = (accept: (order: number) => boolean) => (document: Record<string, unknown>) =>
    hasItem(valueOf(document), (item) => sameType(item, bound) && accept(compareValues(item, bound)))

  switch (operator) {
    case '$exists': return (document) => Object.hasOwn(document, field) === operand
    case '$eq': case '$in': return (document) => equals(valueOf(document))
    case '$ne': case '$nin': return (document) => !equals(valueOf(document))
    case '$gt': return compares((order) => order > 0)
    case '$gte': return compares((order) => order >= 0)
    case '$lt': return compares((order) => order < 0)
    case '$lte': return compares((order) => order <= 0)
  }
}

type Comparable = string | number | boolean | null

const comparable = (value: FilterValue): Comparable => value instanceof Date ? value.getTime() : value

/** Documents carry their times as ISO text. */
const readTime = (value: unknown) => typeof value === 'string' ? Date.parse(value) : value

const hasItem = (value: unknown, accept: (item: unknown) => boolean) =>
  Array.isArray(value) ? value.some(accept) : accept(value)

const sameType = (value: unknown, bound: Comparable): value is string | number =>
  typeof value === typeof bound && value !== null

/** MongoDB orders strings by their UTF-8 bytes, which differs from UTF-16 units only beyond the basic plane. */
function compareValues (value: string | number, bound: Comparable): number {
  if (typeof value === 'string' && typeof bound === 'string') return Buffer.compare(Buffer.from(value), Buffer.from(bound))
  return Number(value) - Number(bound)
}
