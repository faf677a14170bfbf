import type { Document } from '../types.js'
import { getField, isDocument } from '../values/types.js'

export type ValueTest = (value: unknown) => boolean

/** A dotted path, split once; `indexes[i]` is the array index that part i can mean, or −1. */
export interface Path { text: string, parts: string[], indexes: number[] }

export function parsePath (text: string): Path {
  const parts = text.split('.')
  return { text, parts, indexes: parts.map(toIndex) }
}

/** An array index as MongoDB takes it from a path: decimal digits without leading zeros. */
export function toIndex (part: string): number {
  return /^(0|[1-9]\d{0,8})$/.test(part) ? Number(part) : -1
}

/** Where the last match went through an array: the index in the outermost one, for positional `$`. */
export const matchPosition: { index: number } = { index: -1 }

/**
 * True if any value that a path means in a document passes the test: arrays on the way are entered (one
 * level, documents only, or by index), and an array at the end is tested element by element and as a whole.
 * A missing value is tested as undefined. See "Query an Array" in the manual.
 */
export function anyValue (doc: Document, path: Path, test: ValueTest, expandLast: boolean): boolean {
  return fromDocument(doc, path, 0, test, expandLast)
}

function fromDocument (doc: Document, path: Path, at: number, test: ValueTest, expandLast: boolean): boolean {
  const value = getField(doc, path.parts[at] ?? '')
  if (at === path.parts.length - 1) return atLeaf(value, test, expandLast)
  if (Array.isArray(value)) return fromArray(value, path, at + 1, test, expandLast)
  if (isDocument(value)) return fromDocument(value, path, at + 1, test, expandLast)
  return test(undefined)
}

function fromArray (array: unknown[], path: Path, at: number, test: ValueTest, expandLast: boolean): boolean {
  const wanted = path.indexes[at] ?? -1
  const last = at === path.parts.length - 1
  for (let i = 0; i < array.length; i++) {
    const item: unknown = array[i]
    if (isDocument(item) && fromDocument(item, path, at, test, expandLast)) return found(i)
    if (i !== wanted) continue
    if (last) {
      if (atLeaf(item, test, expandLast)) return found(i)
    } else if (isDocument(item)) {
      if (fromDocument(item, path, at + 1, test, expandLast)) return found(i)
    } else if (Array.isArray(item)) {
      if (fromArray(item, path, at + 1, test, expandLast)) return found(i)
    }
  }
  return false
}

function atLeaf (value: unknown, test: ValueTest, expandLast: boolean): boolean {
  if (expandLast && Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (test(value[i])) return found(i)
  }
  return test(value)
}

function found (index: number): true {
  matchPosition.index = index
  return true
}

/** A matcher for one path; paths without dots, the most common, skip the walk. */
export function pathMatcher (text: string, test: ValueTest, expandLast = true): (doc: Document) => boolean {
  const path = parsePath(text)
  if (path.parts.length > 1) return doc => fromDocument(doc, path, 0, test, expandLast)
  return doc => {
    const value = getField(doc, text)
    return Array.isArray(value) ? atLeaf(value, test, expandLast) : test(value)
  }
}
