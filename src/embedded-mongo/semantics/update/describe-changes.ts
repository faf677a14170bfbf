import type { Document, UpdateDescription } from '../types.js'
import { identicalValues } from '../values/compare.js'
import { getField, isDocument, setField } from '../values/types.js'
import type { Change } from './apply.js'
import type { Step } from './paths.js'

const origins = new WeakMap<Document, { before: Document, changes: Change[] }>()

/** Notes which operators made a document, for {@link changesBehind}. */
export function rememberChanges (before: Document, after: Document, changes: Change[]): void {
  origins.set(after, { before, changes })
}

/** The operators that made `after` of `before`, if it was they. */
export function changesBehind (before: Document, after: Document): Change[] | undefined {
  const origin = origins.get(after)
  return origin?.before === before ? origin.changes : undefined
}

/** Follows each operator's path through both documents; what an update leaves alone is the same object in both. */
export function describeChanges (before: Document, after: Document, changes: Change[]): UpdateDescription {
  const description: UpdateDescription = { updatedFields: {}, removedFields: [], truncatedArrays: [] }
  for (const { path } of changes) follow(before, after, path.steps, 0, '', description)
  return description
}

function follow (old: unknown, next: unknown, steps: Step[], at: number, path: string, description: UpdateDescription): void {
  if (old === next) return
  const step = steps[at]
  if (step === undefined || next === undefined) return tellValue(old, next, path, description)
  if (Array.isArray(old) && Array.isArray(next)) return followArray(old, next, steps, at, path, description)
  if (!isDocument(old) || !isDocument(next) || step.kind !== 'field') return tellValue(old, next, path, description)
  follow(getField(old, step.name), getField(next, step.name), steps, at + 1, join(path, step.name), description)
}

function followArray (old: unknown[], next: unknown[], steps: Step[], at: number, path: string, description: UpdateDescription): void {
  next.forEach((value, index) => {
    if (index >= old.length) setField(description.updatedFields, join(path, String(index)), value)
    else follow(old[index], value, steps, at + 1, join(path, String(index)), description)
  })
}

function tellValue (old: unknown, next: unknown, path: string, description: UpdateDescription): void {
  if (next === undefined) {
    description.removedFields.push(path)
  } else if (Array.isArray(old) && Array.isArray(next) && old.length > 0 && next.length > old.length && old.every((item, index) => item === next[index])) {
    next.slice(old.length).forEach((item, index) => { setField(description.updatedFields, join(path, String(old.length + index)), item) })
  } else if (!identicalValues(old, next)) {
    setField(description.updatedFields, path, next)
  }
}

function join (path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}
