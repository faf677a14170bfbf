import { PitwallError } from '../errors.js'
import { isReservedName } from './field-rules.js'

/** The operators a client may use; nothing else reaches MongoDB. */
export const filterOperators = ['$eq', '$ne', '$gt', '$gte', '$lt', '$lte', '$in', '$nin', '$exists'] as const
export type FilterOperator = typeof filterOperators[number]
export type FilterValue = string | number | boolean | null | Date

/** One test of one field, already checked. */
export interface Condition { field: string, operator: FilterOperator, operand: FilterValue | FilterValue[] }

const knownOperators: ReadonlySet<string> = new Set(filterOperators)
const ranges: ReadonlySet<string> = new Set(['$gt', '$gte', '$lt', '$lte'])
const timeFields: ReadonlySet<string> = new Set(['createdAt', 'updatedAt'])
const isoTime = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/
const maxFields = 50
const maxListed = 1000

/**
 * Reads a client's filter: equality and the whitelisted operators on plain fields. On
 * `createdAt` and `updatedAt`, and only there, ISO strings and epoch milliseconds are times.
 * @throws BAD_FILTER naming what is not allowed
 */
export function parseFilter (filter: unknown): Condition[] {
  if (!isPlainObject(filter)) throw badFilter('is not an object')
  const fields = Object.entries(filter)
  if (fields.length > maxFields) throw badFilter(`has ${fields.length} fields; allowed: ${maxFields}`)
  return fields.flatMap(([field, given]) => {
    if (field === '' || field.includes('\0') || isReservedName(field) || field === '_id') {
      throw badFilter(`has the field ${quote(field)}; only plain field names are allowed, without dots or a leading $`)
    }
    if (!isPlainObject(given)) return [{ field, operator: '$eq' as const, operand: parseScalar(field, given) }]
    const tests = Object.entries(given)
    if (tests.length === 0) throw badFilter(`gives ${quote(field)} an object without an operator`)
    return tests.map(([operator, operand]) => parseTest(field, operator, operand))
  })
}

function parseTest (field: string, operator: string, operand: unknown): Condition {
  if (!knownOperators.has(operator)) {
    throw badFilter(`uses ${quote(operator)} on ${quote(field)}; allowed: ${filterOperators.join(', ')}`)
  }
  const known = operator as FilterOperator
  if (known === '$exists') {
    if (typeof operand !== 'boolean') throw badFilter(`gives $exists of ${quote(field)} something else than true or false`)
    return { field, operator: known, operand }
  }
  if (known === '$in' || known === '$nin') {
    if (!Array.isArray(operand) || operand.length > maxListed) throw badFilter(`gives ${known} of ${quote(field)} something else than a list of up to ${maxListed} values`)
    return { field, operator: known, operand: operand.map((value) => parseScalar(field, value)) }
  }
  const value = parseScalar(field, operand)
  if (ranges.has(known) && (value === null || typeof value === 'boolean')) {
    throw badFilter(`compares ${quote(field)} by ${known} with ${String(value)}; allowed: a number or a string`)
  }
  return { field, operator: known, operand: value }
}

function parseScalar (field: string, value: unknown): FilterValue {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return timeFields.has(field) ? toTime(field, value) : value
  if (typeof value === 'string') return timeFields.has(field) ? toTime(field, value) : value
  throw badFilter(`compares ${quote(field)} with an object or a list; allowed: a string, number, boolean or null`)
}

function toTime (field: string, value: string | number): Date {
  const time = new Date(typeof value === 'number' || isoTime.test(value) ? value : Number.NaN)
  if (Number.isNaN(time.getTime())) throw badFilter(`compares ${quote(field)} with ${quote(String(value))}; allowed: an ISO 8601 time or epoch milliseconds`)
  return time
}

const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const quote = (text: string) => JSON.stringify(text.slice(0, 100))

const badFilter = (what: string) => new PitwallError('BAD_FILTER', `The filter ${what}`)
