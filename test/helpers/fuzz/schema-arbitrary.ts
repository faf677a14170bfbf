import fc, { type Arbitrary } from 'fast-check'

/** The part of JSON Schema that our own schemas are written in. */
export interface JsonSchema {
  type?: string
  const?: unknown
  enum?: unknown[]
  anyOf?: JsonSchema[]
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: boolean | JsonSchema
  patternProperties?: Record<string, JsonSchema>
  minProperties?: number
  items?: JsonSchema | JsonSchema[]
  prefixItems?: JsonSchema[]
  minItems?: number
  maxItems?: number
  uniqueItems?: boolean
  minLength?: number
  maxLength?: number
  pattern?: string
  format?: string
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
}

/** Values that some strings are drawn from, so that ids and channels meet what is there. */
export type Words = readonly string[]

const longest = 60

/** Values that satisfy a schema. @param words texts that strings without a form of their own may be */
export function arbitraryOf (schema: JsonSchema, words: Words): Arbitrary<unknown> {
  if ('const' in schema) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((one) => arbitraryOf(one, words)))
  switch (schema.type) {
    case 'object': return objectOf(schema, words)
    case 'array': return listOf(schema, words)
    case 'string': return stringOf(schema, words)
    case 'integer': return fc.integer({ min: schema.minimum ?? -1_000_000, max: Math.min(schema.maximum ?? 1_000_000, Number.MAX_SAFE_INTEGER) })
    case 'number': return fc.double({ min: schema.minimum ?? schema.exclusiveMinimum ?? -1e9, max: schema.maximum ?? 1e15, noNaN: true, minExcluded: schema.exclusiveMinimum !== undefined })
    case 'boolean': return fc.boolean()
    case 'null': return fc.constant(null)
    default: return anything(words)
  }
}

function anything (words: Words): Arbitrary<unknown> {
  return fc.oneof({ depthSize: 'small' }, fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(...words), fc.date({ noInvalidDate: true }).map((date) => date.toISOString()))
}

function objectOf (schema: JsonSchema, words: Words): Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties, patternProperties } = schema
  const named = fc.record(Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, arbitraryOf(one, words)])), { requiredKeys: required })
  const [pattern] = Object.values(patternProperties ?? {})
  const other = pattern ?? (typeof additionalProperties === 'object' ? additionalProperties : additionalProperties === true ? {} : undefined)
  if (!other) return named
  const names = fc.oneof(fc.constantFrom('speed', 'motorRPM', 'batteryPercentage', 'gear', 'type', 'lap', 'user', 'page'), fc.string({ maxLength: 8 }))
  return fc.tuple(fc.dictionary(names, arbitraryOf(other, words), { minKeys: schema.minProperties ?? 0, maxKeys: 5 }), named).map(([extra, fields]) => ({ ...extra, ...fields as object }))
}

function listOf ({ items = {}, prefixItems, minItems = 0, maxItems = 5, uniqueItems }: JsonSchema, words: Words): Arbitrary<unknown> {
  const tuple = prefixItems ?? (Array.isArray(items) ? items : undefined)
  if (tuple) return fc.tuple(...tuple.map((item) => arbitraryOf(item, words)))
  const limits = { minLength: minItems, maxLength: Math.max(minItems, Math.min(maxItems, 5)) }
  const item = arbitraryOf(items as JsonSchema, words)
  return uniqueItems ? fc.uniqueArray(item, { ...limits, selector: (value) => JSON.stringify(value) }) : fc.array(item, limits)
}

function stringOf ({ format, pattern, minLength = 0, maxLength = longest }: JsonSchema, words: Words): Arbitrary<string> {
  if (format === 'date-time') return fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }).map((date) => date.toISOString())
  if (format === 'uuid') return fc.uuid()
  const length = { minLength, maxLength: Math.min(maxLength, Math.max(minLength, longest)) }
  const fitting = words.filter((word) => word.length >= minLength && word.length <= maxLength && (pattern === undefined || new RegExp(pattern).test(word)))
  const made = pattern === undefined
    ? fc.oneof(fc.string(length), fc.string({ ...length, unit: 'binary' }))
    : fc.stringMatching(new RegExp(pattern), { size: 'small' }).filter((text) => text.length >= minLength && text.length <= maxLength)
  return fitting.length > 0 ? fc.oneof({ arbitrary: fc.constantFrom(...fitting), weight: 2 }, made) : made
}
