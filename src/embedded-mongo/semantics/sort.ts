import { badValue, CommandError, ErrorCodes } from './errors.js'
import { parsePath, type Path } from './paths/walk.js'
import type { Collation, Document } from './types.js'
import { compareValues } from './values/compare.js'
import { toNumber } from './values/numbers.js'
import { getField, isDocument, isNumeric } from './values/types.js'

export interface SortPart { path: Path, direction: 1 | -1 }

/**
 * Reads a sort specification; keys are `1` or `-1`, and `{ $meta: 'textScore' }` is refused.
 * @throws CommandError 15974/15975 for values that are no direction
 */
export function parseSort (sort: Document): SortPart[] {
  const parts = Object.entries(sort).map(([path, order]) => {
    if (isDocument(order)) throw new CommandError(ErrorCodes.CommandNotSupported, '$meta sort is not supported')
    if (!isNumeric(order)) throw new CommandError(15974, `Illegal key in $sort specification: ${path}: ${String(order)}`)
    const direction = toNumber(order)
    if (direction !== 1 && direction !== -1) throw new CommandError(15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)')
    if (path === '') throw new CommandError(40352, 'FieldPath cannot be constructed with empty string')
    if (path.startsWith('$')) throw new CommandError(16410, 'FieldPath field names may not start with \'$\'. Consider using $getField or $setField.')
    return { path: parsePath(path), direction: direction as 1 | -1 }
  })
  if (parts.length > 32) throw badValue('too many compound sort keys')
  return parts
}

/**
 * A comparator for documents. An array counts as its least element in an ascending sort and as its greatest
 * in a descending one; an empty array comes before null, a missing field is null.
 */
export function compileSort (sort: Document, options: { collation?: Collation | undefined } = {}): (a: Document, b: Document) => number {
  const parts = parseSort(sort)
  const { collation } = options
  return (a, b) => {
    for (const { path, direction } of parts) {
      const order = compareValues(sortKey(a, path, direction), sortKey(b, path, direction), collation)
      if (order !== 0) return order * direction
    }
    return 0
  }
}

/** The value of a document that counts for one part of a sort. */
export function sortKey (doc: Document, path: Path, direction: 1 | -1): unknown {
  const first = getField(doc, path.parts[0] ?? '')
  if (path.parts.length === 1 && !Array.isArray(first)) return first === undefined ? null : first
  const values: unknown[] = []
  collectValues(doc, path, 0, values)
  let best = values[0]
  for (let i = 1; i < values.length; i++) {
    if (compareValues(values[i], best) * direction < 0) best = values[i]
  }
  return values.length === 0 ? null : best
}

/** All values of a path as an index on it would hold them: array elements, undefined for an empty array, null if missing. */
export function collectValues (doc: Document, path: Path, at: number, into: unknown[]): void {
  const value = getField(doc, path.parts[at] ?? '')
  collectFrom(value, path, at + 1, into)
}

function collectFrom (value: unknown, path: Path, at: number, into: unknown[]): void {
  if (at === path.parts.length) {
    if (!Array.isArray(value)) into.push(value === undefined ? null : value)
    else if (value.length === 0) into.push(undefined)
    else for (const item of value as unknown[]) into.push(item === undefined ? null : item)
    return
  }
  if (isDocument(value)) return collectValues(value, path, at, into)
  if (!Array.isArray(value)) {
    into.push(null)
    return
  }
  collectFromArray(value, path, at, into)
}

function collectFromArray (array: unknown[], path: Path, at: number, into: unknown[]): void {
  const index = path.indexes[at] ?? -1
  const indexed: unknown = index >= 0 && index < array.length ? array[index] : undefined
  if (indexed !== undefined && !array.some(item => isDocument(item) && getField(item, path.parts[at] ?? '') !== undefined)) {
    return collectFrom(indexed, path, at + 1, into)
  }
  if (array.length === 0) into.push(null)
  for (const item of array) {
    if (isDocument(item)) collectValues(item, path, at, into)
    else into.push(null)
  }
}
