import { CommandError } from '../errors.js'
import type { Document } from '../types.js'
import { getField, isDocument } from '../values/types.js'

/**
 * The value of a path in aggregation: an array on the way gives the array of its documents' values. Unlike
 * in queries, a number in the path is a field name, never an index.
 */
export function valueAtPath (value: unknown, parts: readonly string[], at = 0): unknown {
  let current = value
  for (let i = at; i < parts.length; i++) {
    if (isDocument(current)) {
      current = getField(current, parts[i] ?? '')
    } else if (Array.isArray(current)) {
      return valuesAtPath(current, parts, i)
    } else {
      return undefined
    }
  }
  return current
}

function valuesAtPath (array: unknown[], parts: readonly string[], at: number): unknown[] {
  const values: unknown[] = []
  for (const item of array) {
    if (!isDocument(item)) continue
    const value = valueAtPath(item, parts, at)
    if (value !== undefined) values.push(value)
  }
  return values
}

/** Checks and splits a field path of aggregation, without its `$`. */
export function splitFieldPath (path: string): string[] {
  if (path === '') throw new CommandError(40352, 'FieldPath cannot be constructed with empty string')
  if (path.endsWith('.')) throw new CommandError(40353, "FieldPath must not end with a '.'.")
  const parts = path.split('.')
  for (const part of parts) assertFieldName(part)
  if (parts.length > 200) throw new CommandError(5984700, 'Field path is too long')
  return parts
}

export function assertFieldName (name: string): void {
  if (name === '') throw new CommandError(15998, 'FieldPath field names may not be empty strings.')
  if (name.startsWith('$')) throw new CommandError(16410, "FieldPath field names may not start with '$'. Consider using $getField or $setField.")
  if (name.includes('\0')) throw new CommandError(16411, 'FieldPath field names may not contain \'\\0\'.')
}

/** A copy of the document with the value at the path; documents are made on the way, arrays entered. */
export function withValueAt (doc: Document, parts: readonly string[], value: unknown, at = 0): Document {
  const name = parts[at] ?? ''
  const copy = { ...doc }
  const present = getField(doc, name)
  const next = at === parts.length - 1 ? value : nestedValue(present, parts, value, at + 1)
  if (next === undefined) delete copy[name]
  else if (name === '__proto__') Object.defineProperty(copy, name, { value: next, writable: true, enumerable: true, configurable: true })
  else copy[name] = next
  return copy
}

function nestedValue (present: unknown, parts: readonly string[], value: unknown, at: number): unknown {
  if (Array.isArray(present)) return present.map(item => nestedValue(item, parts, value, at))
  return withValueAt(isDocument(present) ? present : {}, parts, value, at)
}
