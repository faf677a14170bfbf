import { isDeepStrictEqual } from 'node:util'
import { Binary, BSON, Decimal128, Double, Int32, Long, ObjectId, Timestamp } from 'mongodb'
import { Mismatch } from './types.js'

const { EJSON } = BSON

type Fields = Record<string, unknown>

/** Checks a result by the matching rules of the unified test format; throws Mismatch with the path that differs. */
export function assertMatches (actual: unknown, expected: unknown, entities: ReadonlyMap<string, unknown>, isRoot = true, path = 'result'): void {
  const special = specialOf(expected)
  if (special !== undefined) return matchSpecial(actual, special[0], special[1], entities, path)
  if (isFields(expected)) {
    if (!isFields(actual)) throw differs(path, actual, expected)
    return matchFields(actual, expected, entities, isRoot, path)
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) throw differs(path, actual, expected)
    expected.forEach((item, index) => { assertMatches(actual[index], item, entities, isRoot && path === 'result', `${path}[${index}]`) })
    return
  }
  if (!sameValue(actual, expected)) throw differs(path, actual, expected)
}

function matchFields (actual: Fields, expected: Fields, entities: ReadonlyMap<string, unknown>, isRoot: boolean, path: string): void {
  for (const [name, value] of Object.entries(expected)) {
    const special = specialOf(value)
    if (special?.[0] === '$$exists') {
      if ((actual[name] !== undefined) !== special[1]) throw differs(`${path}.${name}`, actual[name], value)
      continue
    }
    if (special?.[0] === '$$unsetOrMatches' && actual[name] === undefined) continue
    if (actual[name] === undefined && !(name in actual)) throw differs(`${path}.${name}`, undefined, value)
    assertMatches(actual[name], value, entities, false, `${path}.${name}`)
  }
  if (isRoot) return
  const extra = Object.keys(actual).find(name => !(name in expected) && actual[name] !== undefined)
  if (extra !== undefined) throw new Mismatch(`${path} has the extra field ${extra}`)
}

function matchSpecial (actual: unknown, operator: string, operand: unknown, entities: ReadonlyMap<string, unknown>, path: string): void {
  const check = (holds: boolean): void => { if (!holds) throw differs(path, actual, { [operator]: operand }) }
  switch (operator) {
    case '$$exists': return check((actual !== undefined && actual !== null) === operand)
    case '$$unsetOrMatches': return actual === undefined || actual === null ? undefined : assertMatches(actual, operand, entities, true, path)
    case '$$type': return check((Array.isArray(operand) ? operand : [operand]).some(type => isOfType(actual, String(type))))
    case '$$matchesEntity': return assertMatches(actual, entities.get(String(operand)), entities, false, path)
    case '$$matchesHexBytes': return check(Buffer.isBuffer(actual) && actual.toString('hex') === operand)
    case '$$sessionLsid': {
      const session = entities.get(String(operand)) as { id?: unknown } | undefined
      return check(isDeepStrictEqual(EJSON.stringify(session?.id), EJSON.stringify(actual)))
    }
    case '$$lte': return check(Number(actual) <= Number(operand))
    case '$$matchAsRoot': return assertMatches(actual, operand, entities, true, path)
    case '$$matchAsDocument': return assertMatches(EJSON.parse(String(actual)), operand, entities, false, path)
    default: throw new Mismatch(`${operator} is not a known matcher`)
  }
}

function specialOf (value: unknown): [string, unknown] | undefined {
  if (!isFields(value)) return undefined
  const entries = Object.entries(value)
  const [first] = entries
  return entries.length === 1 && first?.[0].startsWith('$$') === true ? first : undefined
}

function isFields (value: unknown): value is Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return !('_bsontype' in value) && !(value instanceof Date) && !(value instanceof RegExp) && !(value instanceof Uint8Array)
}

function toNumber (value: unknown): number | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value)
  if (value instanceof Int32 || value instanceof Double) return value.value
  return value instanceof Long ? value.toNumber() : undefined
}

function sameValue (actual: unknown, expected: unknown): boolean {
  const [a, b] = [toNumber(actual), toNumber(expected)]
  if (a !== undefined && b !== undefined) return Object.is(a, b) || a === b
  if (expected === null) return actual === null || actual === undefined
  return isDeepStrictEqual(comparable(actual), comparable(expected))
}

function comparable (value: unknown): unknown {
  if (typeof value === 'object' && value !== null && ('_bsontype' in value || value instanceof Date || value instanceof RegExp)) {
    return EJSON.stringify({ value }, { relaxed: false })
  }
  return value
}

function isOfType (value: unknown, type: string): boolean {
  switch (type) {
    case 'int': return value instanceof Int32 || (Number.isInteger(value) && Math.abs(Number(value)) <= 0x7FFFFFFF)
    case 'long': return value instanceof Long || Number.isInteger(value)
    case 'double': return value instanceof Double || typeof value === 'number'
    case 'number': return toNumber(value) !== undefined || value instanceof Decimal128
    case 'decimal': return value instanceof Decimal128
    case 'string': return typeof value === 'string'
    case 'object': return isFields(value)
    case 'array': return Array.isArray(value)
    case 'binData': return value instanceof Binary || value instanceof Uint8Array
    case 'objectId': return value instanceof ObjectId
    case 'bool': return typeof value === 'boolean'
    case 'date': return value instanceof Date
    case 'null': return value === null
    case 'timestamp': return value instanceof Timestamp
    case 'regex': return value instanceof RegExp || value instanceof BSON.BSONRegExp
    default: throw new Mismatch(`$$type ${type} is not known`)
  }
}

function differs (path: string, actual: unknown, expected: unknown): Mismatch {
  const show = (value: unknown): string => EJSON.stringify({ v: value }).slice(5, 400)
  return new Mismatch(`${path}: got ${show(actual)} instead of ${show(expected)}`)
}
