import { CommandError, ErrorCodes } from '../errors.js'
import { parsePath, type Path } from '../paths/walk.js'
import type { Collation, Document, IndexKeys } from '../types.js'
import { toNumber } from '../values/numbers.js'
import { getField, isDocument, isNumeric } from '../values/types.js'
import { encodeCompoundKey } from './encode-key.js'

interface KeyPart { path: Path }

/** What is known of one part: its value, or the place where its path is still to be followed. */
type Slot = { done: true, value: unknown, found: boolean } | { done: false, container: unknown, at: number }

/**
 * The keys an index holds for a document: one per combination for arrays (a multikey index). A missing field is
 * null, an empty array undefined. With `sparse`, a document that has none of the fields has no keys.
 * @throws CommandError 171 CannotIndexParallelArrays if two parts come from different arrays
 */
export function extractIndexKeys (doc: Document, keyPattern: Document, options: { sparse?: boolean | undefined, collation?: Collation | undefined } = {}): IndexKeys {
  const pattern = patternOf(keyPattern)
  const { sparse = false, collation } = options
  const values: unknown[] = []
  let found = false
  for (const { path } of pattern.parts) {
    const slot = follow(doc, path, 0)
    if (!slot.done) return extractMultikey(doc, pattern, sparse, collation)
    values.push(slot.value)
    found ||= slot.found
  }
  return { keys: sparse && !found ? [] : [encodeCompoundKey(values, pattern.descending, collation)], multikey: false }
}

function extractMultikey (doc: Document, { parts, descending }: Pattern, sparse: boolean, collation: Collation | undefined): IndexKeys {
  const state: State = { parts, tuples: [], multikey: false }
  expand(state, parts.map((): Slot => ({ done: false, container: doc, at: 0 })))
  const tuples = sparse ? state.tuples.filter(tuple => tuple.some(slot => slot.found)) : state.tuples
  const keys = tuples.map(tuple => encodeCompoundKey(tuple.map(slot => slot.value), descending, collation))
  return { keys: distinctKeys(keys), multikey: state.multikey }
}

interface Pattern { parts: KeyPart[], descending: boolean[] }

const patterns = new WeakMap<Document, Pattern>()

function patternOf (keyPattern: Document): Pattern {
  let pattern = patterns.get(keyPattern)
  if (pattern === undefined) {
    const entries = Object.entries(keyPattern)
    pattern = {
      parts: entries.map(([path]) => ({ path: parsePath(path) })),
      descending: entries.map(([, order]) => isNumeric(order) && toNumber(order) < 0)
    }
    patterns.set(keyPattern, pattern)
  }
  return pattern
}

interface DoneSlot { value: unknown, found: boolean }
interface State { parts: KeyPart[], tuples: DoneSlot[][], multikey: boolean }

function expand (state: State, slots: Slot[]): void {
  let array: unknown[] | undefined
  let arrayPath = ''
  const waiting: boolean[] = []
  const resolved = slots.map((slot, index): Slot => {
    if (slot.done) return slot
    const path = state.parts[index]?.path
    if (path === undefined) return { done: true, value: null, found: false }
    const next = follow(slot.container, path, slot.at)
    if (next.done || !Array.isArray(next.container)) return next
    const prefix = path.parts.slice(0, next.at).join('.')
    if (array !== undefined && array !== next.container) {
      throw new CommandError(ErrorCodes.CannotIndexParallelArrays, `cannot index parallel arrays [${lastPart(prefix)}] [${lastPart(arrayPath)}]`)
    }
    array = next.container as unknown[]
    arrayPath = prefix
    waiting[index] = true
    return next
  })
  if (array === undefined) {
    state.tuples.push(resolved.map(slot => slot.done ? slot : { value: null, found: false }))
    return
  }
  state.multikey = true
  if (array.length === 0) return expand(state, resolved.map((slot, index) => waiting[index] === true ? emptyArray(slot, state.parts[index]) : slot))
  for (const item of array) {
    expand(state, resolved.map((slot, index) => waiting[index] === true ? enter(slot, item, state.parts[index]) : slot))
  }
}

function lastPart (path: string): string {
  return path.slice(path.lastIndexOf('.') + 1)
}

function atEnd (slot: Slot, part: KeyPart | undefined): boolean {
  return !slot.done && slot.at >= (part?.path.parts.length ?? 0)
}

function emptyArray (slot: Slot, part: KeyPart | undefined): Slot {
  return atEnd(slot, part) ? { done: true, value: undefined, found: true } : { done: true, value: null, found: false }
}

/** One array element: the value itself at the end of the path (a nested array stays whole), else where to go on. */
function enter (slot: Slot, item: unknown, part: KeyPart | undefined): Slot {
  if (slot.done) return slot
  if (atEnd(slot, part)) return { done: true, value: item ?? null, found: true }
  if (isDocument(item)) return { done: false, container: item, at: slot.at }
  return { done: true, value: null, found: false }
}

/** Follows a path through documents until it ends, is missing, or comes to an array. */
function follow (container: unknown, path: Path, at: number): Slot {
  let value = container
  for (let i = at; i < path.parts.length; i++) {
    if (Array.isArray(value)) {
      const index = path.indexes[i] ?? -1
      if (index < 0 || index >= value.length || hasNamedField(value, path.parts[i] ?? '')) return { done: false, container: value, at: i }
      value = value[index]
    } else if (isDocument(value)) {
      value = getField(value, path.parts[i] ?? '')
    } else {
      return { done: true, value: null, found: false }
    }
  }
  if (Array.isArray(value)) return { done: false, container: value, at: path.parts.length }
  return { done: true, value: value === undefined ? null : value, found: value !== undefined }
}

function hasNamedField (array: unknown[], name: string): boolean {
  return array.some(item => isDocument(item) && getField(item, name) !== undefined)
}

function distinctKeys (keys: Buffer[]): Buffer[] {
  if (keys.length < 2) return keys
  keys.sort(Buffer.compare)
  return keys.filter((key, index) => index === 0 || !key.equals(keys[index - 1] ?? Buffer.alloc(0)))
}
