import { PitwallError, type FieldError } from '../errors.js'

/** What a client's own fields may be: bounds far above sensible use, below what MongoDB refuses. */
export const fieldBounds = {
  /** Fields at the top. */
  fields: 256,
  /** Objects and arrays within each other. */
  depth: 16,
  /** Values in all, so that no small text becomes a huge document. */
  values: 100_000,
  /** Characters of a name. */
  name: 128,
  /** Characters of a string. */
  string: 1024 * 1024
}

// `_bsontype` would make the BSON encoder take a client's object for one of its own types.
const reservedAnywhere = new Set(['__proto__', 'constructor', 'prototype', '_bsontype'])
const reservedAtTop = new Set(['id', '_id', 'createdAt', 'updatedAt'])

/** True for a name that no field may have at any depth. */
export const isReservedName = (name: string): boolean =>
  reservedAnywhere.has(name) || name.startsWith('$') || name.includes('.')

/**
 * Checks a client's own fields, all faults at once.
 * @throws RESERVED_FIELD naming the fields, VALIDATION_FAILED for what exceeds the bounds
 */
export function checkFields (fields: Record<string, unknown>): void {
  const reserved: string[] = []
  const faults: FieldError[] = []
  const names = Object.keys(fields)
  let values = 0

  if (names.length > fieldBounds.fields) faults.push({ path: '', message: `has ${names.length} fields; allowed: ${fieldBounds.fields}` })

  const checkName = (name: string, path: string, depth: number) => {
    if (isReservedName(name) || (depth === 0 && reservedAtTop.has(name))) reserved.push(name.slice(0, fieldBounds.name))
    else if (name === '' || name.includes('\0')) faults.push({ path, message: 'has a field whose name is empty or holds a null character' })
    else if (name.length > fieldBounds.name) faults.push({ path, message: `has a field name of ${name.length} characters; allowed: ${fieldBounds.name}` })
  }

  const checkValue = (value: unknown, path: string, depth: number): void => {
    if (++values > fieldBounds.values || faults.length > 20 || reserved.length > 20) return
    if (typeof value === 'string' && value.length > fieldBounds.string) {
      faults.push({ path, message: `is a string of ${value.length} characters; allowed: ${fieldBounds.string}` })
    }
    if (typeof value !== 'object' || value === null) return
    if (depth > fieldBounds.depth) {
      faults.push({ path, message: `is nested deeper than ${fieldBounds.depth} levels` })
    } else if (Array.isArray(value)) {
      value.forEach((item, index) => checkValue(item, `${path}/${index}`, depth + 1))
    } else {
      for (const [name, item] of Object.entries(value)) {
        checkName(name, path, depth)
        checkValue(item, `${path}/${name}`, depth + 1)
      }
    }
  }

  checkValue(fields, '', 0)
  if (values > fieldBounds.values) faults.push({ path: '', message: `holds more than ${fieldBounds.values} values` })
  if (reserved.length > 0) throw reservedFields(reserved)
  const [first] = faults
  if (first) throw new PitwallError('VALIDATION_FAILED', `body${first.path} ${first.message}`, { errors: faults })
}

function reservedFields (names: string[]): PitwallError {
  const unique = [...new Set(names)]
  const list = unique.map((name) => JSON.stringify(name)).join(', ')
  return new PitwallError('RESERVED_FIELD', `Reserved field ${list}: id, _id, createdAt and updatedAt are the server's; names with a dot or a leading $, and __proto__, constructor, prototype and _bsontype, are not allowed`, {
    errors: unique.map((name) => ({ path: `/${name}`, message: 'is reserved' }))
  })
}
