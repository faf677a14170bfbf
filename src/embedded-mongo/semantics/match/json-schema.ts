import { CommandError, ErrorCodes, failedToParse, typeMismatch } from '../errors.js'
import type { ValueTest } from '../paths/walk.js'
import type { Document } from '../types.js'
import { compareValues, equalValues } from '../values/compare.js'
import { toComparable, toNumber } from '../values/numbers.js'
import { getField, isDocument, isNumeric, typeNameOf } from '../values/types.js'
import { compileRegex } from './regex.js'
import { parseTypes } from './type-tests.js'

/**
 * Compiles `$jsonSchema` (draft 4 with `bsonType`, as the manual's "$jsonSchema" lists it). A keyword about
 * one type says nothing of values of other types. `$ref`, `default`, `definitions`, `format`, `id` and
 * `$schema` are refused, as MongoDB refuses them.
 */
export function compileSchema (schema: Document): ValueTest {
  const tests: ValueTest[] = []
  for (const [keyword, operand] of Object.entries(schema)) {
    const test = compileKeyword(keyword, operand, schema)
    if (test !== undefined) tests.push(test)
  }
  return value => tests.every(test => test(value))
}

const jsonTypes: Record<string, string[]> = {
  object: ['object'],
  array: ['array'],
  string: ['string'],
  boolean: ['bool'],
  null: ['null'],
  number: ['int', 'long', 'double', 'decimal']
}

const annotations = new Set(['title', 'description', 'exclusiveMinimum', 'exclusiveMaximum', 'additionalItems', '$comment', 'encryptMetadata'])

function compileKeyword (keyword: string, operand: unknown, schema: Document): ValueTest | undefined {
  switch (keyword) {
    case 'bsonType': {
      const types = parseTypes(operand)
      return value => types.has(typeNameOf(value))
    }
    case 'type': return jsonTypeTest(operand)
    case 'enum': {
      const values = listOf(keyword, operand)
      return value => values.some(item => equalValues(item, value))
    }
    case 'required': {
      const names = listOf(keyword, operand).map(name => textOperand(keyword, name))
      return onObject(value => names.every(name => getField(value, name) !== undefined))
    }
    case 'properties': return propertiesTest(documentOperand(keyword, operand))
    case 'patternProperties':
    case 'additionalProperties': return additionalTest(keyword, schema)
    case 'minProperties': return onObject(value => Object.keys(value).length >= toNumber(operand))
    case 'maxProperties': return onObject(value => Object.keys(value).length <= toNumber(operand))
    case 'dependencies': return dependenciesTest(documentOperand(keyword, operand))
    case 'minimum':
    case 'maximum': return limitTest(keyword, operand, schema)
    case 'multipleOf': return value => !isNumeric(value) || isMultiple(value, operand)
    case 'minLength': return onText(value => [...value].length >= toNumber(operand))
    case 'maxLength': return onText(value => [...value].length <= toNumber(operand))
    case 'pattern': {
      const regex = compileRegex(textOperand(keyword, operand), '')
      return onText(value => regex.test(value))
    }
    case 'items': return itemsTest(operand, schema)
    case 'minItems': return onArray(value => value.length >= toNumber(operand))
    case 'maxItems': return onArray(value => value.length <= toNumber(operand))
    case 'uniqueItems': return operand === true ? onArray(hasUniqueItems) : undefined
    case 'allOf':
    case 'anyOf':
    case 'oneOf': return combine(keyword, operand)
    case 'not': {
      const inner = compileSchema(documentOperand(keyword, operand))
      return value => !inner(value)
    }
    default:
      if (annotations.has(keyword)) return undefined
      if (['$ref', '$schema', 'default', 'definitions', 'format', 'id'].includes(keyword)) throw failedToParse(`$jsonSchema keyword '${keyword}' is not currently supported`)
      throw failedToParse(`Unknown $jsonSchema keyword: ${keyword}`)
  }
}

function jsonTypeTest (operand: unknown): ValueTest {
  const wanted = new Set<string>()
  for (const item of Array.isArray(operand) ? operand as unknown[] : [operand]) {
    const name = textOperand('type', item)
    if (name === 'integer') throw failedToParse("$jsonSchema type 'integer' is not currently supported.")
    const types = jsonTypes[name]
    if (types === undefined) throw new CommandError(ErrorCodes.BadValue, `Unknown type name alias: ${name}`)
    for (const type of types) wanted.add(type)
  }
  return value => wanted.has(typeNameOf(value))
}

function onObject (test: (value: Document) => boolean): ValueTest {
  return value => !isDocument(value) || test(value)
}

function onArray (test: (value: unknown[]) => boolean): ValueTest {
  return value => !Array.isArray(value) || test(value)
}

function onText (test: (value: string) => boolean): ValueTest {
  return value => typeof value !== 'string' || test(value)
}

function listOf (keyword: string, operand: unknown): unknown[] {
  if (!Array.isArray(operand)) throw typeMismatch(`$jsonSchema keyword '${keyword}' must be an array`)
  if (operand.length === 0) throw failedToParse(`$jsonSchema keyword '${keyword}' cannot be an empty array`)
  return operand as unknown[]
}

function textOperand (keyword: string, operand: unknown): string {
  if (typeof operand !== 'string') throw typeMismatch(`$jsonSchema keyword '${keyword}' must be a string`)
  return operand
}

function documentOperand (keyword: string, operand: unknown): Document {
  if (!isDocument(operand)) throw typeMismatch(`$jsonSchema keyword '${keyword}' must be an object`)
  return operand
}

function propertiesTest (properties: Document): ValueTest {
  const tests = Object.entries(properties).map(([name, schema]) => ({ name, test: compileSchema(documentOperand('properties', schema)) }))
  return onObject(value => tests.every(({ name, test }) => {
    const field = getField(value, name)
    return field === undefined || test(field)
  }))
}

/** `patternProperties` and `additionalProperties` together; the second is done with the first when both are there. */
function additionalTest (keyword: string, schema: Document): ValueTest | undefined {
  if (keyword === 'additionalProperties' && schema.patternProperties !== undefined) return undefined
  const named = new Set(isDocument(schema.properties) ? Object.keys(schema.properties) : [])
  const patterns = Object.entries(isDocument(schema.patternProperties) ? schema.patternProperties : {})
    .map(([pattern, inner]) => ({ regex: compileRegex(pattern, ''), test: compileSchema(documentOperand('patternProperties', inner)) }))
  const { additionalProperties } = schema
  const rest = isDocument(additionalProperties) ? compileSchema(additionalProperties) : () => additionalProperties !== false
  return onObject(value => Object.entries(value).every(([name, field]) => {
    const matching = patterns.filter(({ regex }) => regex.test(name))
    if (!matching.every(({ test }) => test(field))) return false
    return matching.length > 0 || named.has(name) || rest(field)
  }))
}

function dependenciesTest (dependencies: Document): ValueTest {
  const tests = Object.entries(dependencies).map(([name, needed]) => {
    if (Array.isArray(needed)) {
      const names = needed.map(item => textOperand('dependencies', item))
      return { name, test: (value: Document) => names.every(other => getField(value, other) !== undefined) }
    }
    return { name, test: compileSchema(documentOperand('dependencies', needed)) }
  })
  return onObject(value => tests.every(({ name, test }) => getField(value, name) === undefined || test(value)))
}

function limitTest (keyword: 'minimum' | 'maximum', operand: unknown, schema: Document): ValueTest {
  if (!isNumeric(operand)) throw typeMismatch(`$jsonSchema keyword '${keyword}' must be a number`)
  const exclusive = (keyword === 'minimum' ? schema.exclusiveMinimum : schema.exclusiveMaximum) === true
  const sign = keyword === 'minimum' ? 1 : -1
  return value => {
    if (!isNumeric(value)) return true
    const order = compareValues(value, operand) * sign
    return exclusive ? order > 0 : order >= 0
  }
}

function isMultiple (value: unknown, operand: unknown): boolean {
  const number = toComparable(value)
  const divisor = toComparable(operand)
  if (typeof number === 'bigint' && typeof divisor === 'number' && Number.isInteger(divisor)) return number % BigInt(divisor) === 0n
  return toNumber(value) % toNumber(operand) === 0
}

function itemsTest (operand: unknown, schema: Document): ValueTest {
  if (isDocument(operand)) {
    const test = compileSchema(operand)
    return onArray(value => value.every(test))
  }
  const tests = listOf('items', operand).map(item => compileSchema(documentOperand('items', item)))
  const { additionalItems } = schema
  const rest = isDocument(additionalItems) ? compileSchema(additionalItems) : () => additionalItems !== false
  return onArray(value => value.every((item, index) => (tests[index] ?? rest)(item)))
}

function hasUniqueItems (value: unknown[]): boolean {
  const sorted = [...value].sort((a, b) => compareValues(a, b))
  return sorted.every((item, index) => index === 0 || !equalValues(item, sorted[index - 1]))
}

function combine (keyword: string, operand: unknown): ValueTest {
  const tests = listOf(keyword, operand).map(item => compileSchema(documentOperand(keyword, item)))
  if (keyword === 'allOf') return value => tests.every(test => test(value))
  if (keyword === 'anyOf') return value => tests.some(test => test(value))
  return value => tests.filter(test => test(value)).length === 1
}
