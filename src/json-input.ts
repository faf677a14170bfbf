import { isUtf8 } from 'node:buffer'
import { PitwallError } from './errors.js'

/** Bounds of the shape of what clients send, before anything looks at its meaning. */
export interface InputLimits {
  /** Objects and lists within each other; `NESTING_LIMIT`. */
  depth: number
  /** Items of one list; `ARRAY_LIMIT`. */
  items: number
  /** Characters of one string; `STRING_LIMIT`. */
  characters: number
}

/** The limits of settings left alone. */
export const defaultInputLimits: InputLimits = { depth: 32, items: 100_000, characters: 1024 * 1024 }

const prototypeNames = new Set(['__proto__', 'constructor', 'prototype'])
// An escape may spell any of the names; a number past 1.8e308 becomes infinite, which takes an exponent or this many digits.
const suspicious = /__proto__|constructor|prototype|\\u|[eE]\+?\d{3}/
const MANY_DIGITS = 300
const manyDigits = /\d{300}/

/** True for a name by which JavaScript reaches an object's prototype. */
export const isPrototypeName = (name: string): boolean => prototypeNames.has(name)

/**
 * Text of a body, without a byte order mark.
 * @throws INVALID_JSON for bytes that are not UTF-8, which would be stored as something else
 */
export function decodeText (bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new PitwallError('INVALID_JSON', 'The body is not valid UTF-8')
  const text = bytes.toString('utf8')
  return text.charCodeAt(0) === 0xFEFF ? text.slice(1) : text
}

/**
 * Parses JSON that a client sent and refuses what is out of shape: names that reach a
 * prototype, nesting, lists and strings past the limits. Texts too short to hold any of
 * that are not walked.
 * @param what the thing as an error names it: `body`, `message`
 * @throws INVALID_JSON, RESERVED_FIELD, VALIDATION_FAILED naming the place and the limit
 */
export function parseJson (text: string, limits: InputLimits, what = 'body'): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new PitwallError('INVALID_JSON', `The ${what} is not valid JSON`, { cause })
  }
  const harmless = text.length < limits.characters && text.length < limits.items * 2 && countOpenings(text, limits.depth) <= limits.depth && !isSuspicious(text)
  if (!harmless) checkShape(value, limits, what)
  return value
}

/** The search for digits costs several times the rest, and short texts have no room for them. */
const isSuspicious = (text: string): boolean => suspicious.test(text) || (text.length >= MANY_DIGITS && manyDigits.test(text))

/** Brackets that open, in strings too, up to one more than `enough`. */
function countOpenings (text: string, enough: number): number {
  let count = 0
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at !== -1 && count <= enough; at = text.indexOf(bracket, at + 1)) count++
  }
  return count
}

/**
 * Checks the shape of a value from a client.
 * @throws RESERVED_FIELD, VALIDATION_FAILED naming the place and the limit
 */
export function checkShape (value: unknown, limits: InputLimits, what = 'body'): void {
  const path: (string | number)[] = []
  const fail = (message: string) => outOfShape(what, toPointer(path), message)

  // Recursion goes no deeper than the limit.
  const visit = (item: unknown): void => {
    if (typeof item === 'string') {
      if (item.length > limits.characters) throw fail(`is a string of ${item.length} characters; STRING_LIMIT allows ${limits.characters}`)
    } else if (typeof item === 'number') {
      if (!Number.isFinite(item)) throw fail('is a number too large to be kept')
    } else if (typeof item === 'object' && item !== null) {
      if (path.length >= limits.depth) throw fail(`is nested deeper than the ${limits.depth} levels that NESTING_LIMIT allows`)
      if (Array.isArray(item)) visitList(item)
      else visitFields(item as Record<string, unknown>)
    }
  }

  const visitList = (items: unknown[]): void => {
    if (items.length > limits.items) throw fail(`is a list of ${items.length} items; ARRAY_LIMIT allows ${limits.items}`)
    for (let index = 0; index < items.length; index++) {
      path.push(index)
      visit(items[index])
      path.pop()
    }
  }

  const visitFields = (fields: Record<string, unknown>): void => {
    for (const name of Object.keys(fields)) {
      if (isPrototypeName(name)) throw reservedName(what, toPointer(path), name)
      if (name.length > limits.characters) throw fail(`has a name of ${name.length} characters; STRING_LIMIT allows ${limits.characters}`)
      path.push(name)
      visit(fields[name])
      path.pop()
    }
  }

  visit(value)
}

/** Says that a name cannot be used, as it reaches a prototype. */
export function reservedName (what: string, path: string, name: string): PitwallError {
  return new PitwallError('RESERVED_FIELD', `${subjectOf(what)} has a field named ${name}${path && ` in ${path}`}; __proto__, constructor and prototype are reserved`, {
    errors: [{ path: `${path}/${name}`, message: 'is reserved' }]
  })
}

const subjectOf = (what: string) => what.startsWith('line') ? `L${what.slice(1)}` : `The ${what}`

function outOfShape (what: string, path: string, message: string): PitwallError {
  return new PitwallError('VALIDATION_FAILED', `${what}${path} ${message}`, { errors: [{ path, message }] })
}

/** JSON pointer of a place, cut where it gets long. */
function toPointer (path: readonly (string | number)[]): string {
  const pointer = path.slice(0, 40).map((step) => `/${String(step).slice(0, 128).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
  return pointer.length > 300 ? `${pointer.slice(0, 300)}…` : pointer
}
