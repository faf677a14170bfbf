import type { Document, UpdateDescription } from '../types.js'
import { changesBehind, describeChanges } from './describe-changes.js'
import { identicalValues } from '../values/compare.js'
import { getField, isDocument, setField } from '../values/types.js'

/**
 * What a change stream says of an update: changed fields by dotted path, removed paths, shortened arrays.
 * If update operators made `after` of `before`, the paths are those the operators name, so that `$set: { a: {…} }`
 * is told as `a`; otherwise (pipelines) documents and arrays are compared part by part, as MongoDB's log does.
 */
export function updateDescription (before: Document, after: Document): UpdateDescription {
  const changes = changesBehind(before, after)
  if (changes !== undefined) return describeChanges(before, after, changes)
  const description: UpdateDescription = { updatedFields: {}, removedFields: [], truncatedArrays: [] }
  compareDocuments(before, after, '', description)
  return description
}

function compareDocuments (before: Document, after: Document, prefix: string, description: UpdateDescription): void {
  for (const name of Object.keys(before)) {
    if (getField(after, name) === undefined) description.removedFields.push(prefix + name)
  }
  for (const [name, value] of Object.entries(after)) {
    if (value !== undefined) compareValue(getField(before, name), value, prefix + name, description)
  }
}

function compareValue (old: unknown, next: unknown, path: string, description: UpdateDescription): void {
  if (identicalValues(old, next)) return
  if (isDocument(old) && isDocument(next) && sharesFields(old, next)) return compareDocuments(old, next, `${path}.`, description)
  if (Array.isArray(old) && Array.isArray(next) && sharesElements(old, next)) return compareArrays(old, next, path, description)
  setField(description.updatedFields, path, next)
}

/** Documents with nothing in common are told as a whole, as is one whose fields only changed places. */
function sharesFields (old: Document, next: Document): boolean {
  const names = Object.keys(next).filter(name => getField(old, name) !== undefined)
  if (names.length === 0) return false
  const kept = Object.keys(old).filter(name => getField(next, name) !== undefined)
  return kept.every((name, index) => name === names[index]) && Object.keys(next).slice(0, names.length).every((name, index) => name === names[index])
}

function sharesElements (old: unknown[], next: unknown[]): boolean {
  if (old.length === 0 || next.length === 0) return false
  let same = 0
  const length = Math.min(old.length, next.length)
  for (let i = 0; i < length; i++) {
    if (identicalValues(old[i], next[i]) || (isDocument(old[i]) && isDocument(next[i]))) same += 1
  }
  return same > 0
}

function compareArrays (old: unknown[], next: unknown[], path: string, description: UpdateDescription): void {
  if (next.length < old.length) description.truncatedArrays.push({ field: path, newSize: next.length })
  next.forEach((value, index) => {
    if (index < old.length) compareValue(old[index], value, `${path}.${index}`, description)
    else setField(description.updatedFields, `${path}.${index}`, value)
  })
}
