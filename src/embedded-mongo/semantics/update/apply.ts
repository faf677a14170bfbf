import { badValue, CommandError, ErrorCodes } from '../errors.js'
import { describe } from '../match/type-tests.js'
import type { Document } from '../types.js'
import { identicalValues } from '../values/compare.js'
import { getField, isDocument, setField } from '../values/types.js'
import type { ModifyContext, Modify } from './context.js'
import type { Step, UpdatePath } from './paths.js'

export interface Change {
  path: UpdatePath
  modify: Modify
  /** False for operators that have nothing to do where there is no value: the way to it is not made. */
  creates: boolean
  /** Which elements `$[identifier]` means. */
  filters: ReadonlyMap<string, (element: unknown) => boolean>
}

const MAX_PADDING = 1_500_000

/** The document with one change made; the same object if nothing changes. Only what lies on the path is copied. */
export function applyChange (doc: Document, change: Change, context: ModifyContext): Document {
  return changeDocument(doc, 0, change, context)
}

function changeDocument (doc: Document, at: number, change: Change, context: ModifyContext): Document {
  const step = fixedStep(change.path.steps[at], context)
  if (step.kind !== 'field') throw badValue(`Cannot apply array updates to non-array element ${describeElement(change.path, at, doc)}`)
  const old = getField(doc, step.name)
  const next = changeValue(old, at, change, context)
  if (next === old) return doc
  const copy = { ...doc }
  if (next === undefined) delete copy[step.name]
  else setField(copy, step.name, next)
  return copy
}

/** Positional `$` is the index that the query matched. */
function fixedStep (step: Step | undefined, context: ModifyContext): Exclude<Step, { kind: 'matched' }> {
  if (step === undefined) return { kind: 'field', name: '', index: -1 }
  if (step.kind !== 'matched') return step
  const index = context.matchedIndex()
  if (index < 0) throw badValue('The positional operator did not find the match needed from the query.')
  return { kind: 'field', name: String(index), index }
}

function changeValue (old: unknown, at: number, change: Change, context: ModifyContext): unknown {
  const { steps } = change.path
  if (at === steps.length - 1) {
    const next = change.modify(old, context)
    return identicalValues(old, next) ? old : next
  }
  if (Array.isArray(old)) return changeArray(old, at + 1, change, context)
  if (isDocument(old)) return changeDocument(old, at + 1, change, context)
  const following = steps[at + 1]
  if (old === undefined) {
    if (following?.kind === 'all' || following?.kind === 'filtered') {
      if (!change.creates) return old
      throw badValue(`The path '${prefixOf(change.path, at)}' must exist in the document in order to apply array updates.`)
    }
    if (!change.creates) return old
    const made = changeDocument({}, at + 1, change, context)
    return Object.keys(made).length === 0 ? old : made
  }
  if (following?.kind === 'all' || following?.kind === 'filtered') throw badValue(`Cannot apply array updates to non-array element ${describeElement(change.path, at, old)}`)
  if (!change.creates) return old
  throw notViable(change.path, at, old)
}

function changeArray (array: unknown[], at: number, change: Change, context: ModifyContext): unknown[] {
  const step = fixedStep(change.path.steps[at], context)
  if (step.kind === 'field') return changeElement(array, step.name, step.index, at, change, context)
  const test = step.kind === 'all' ? () => true : change.filters.get(step.identifier) ?? (() => false)
  let copy: unknown[] | undefined
  array.forEach((item, index) => {
    if (!test(item)) return
    const next = changeValue(item, at, change, context)
    if (next === item) return
    copy ??= [...array]
    copy[index] = next ?? null
  })
  return copy ?? array
}

function changeElement (array: unknown[], name: string, index: number, at: number, change: Change, context: ModifyContext): unknown[] {
  if (index < 0) {
    if (!change.creates) return array
    throw new CommandError(ErrorCodes.PathNotViable, `Cannot create field '${name}' in element ${describeElement(change.path, at - 1, array)}`)
  }
  const old = array[index]
  const next = changeValue(old, at, change, context)
  if (next === old) return array
  // Removing an element leaves null: the others keep their places.
  if (index >= array.length && next === undefined) return array
  if (index - array.length > MAX_PADDING) throw badValue(`can't backfill more than ${MAX_PADDING} elements`)
  const copy = [...array]
  while (copy.length < index) copy.push(null)
  copy[index] = next ?? null
  return copy
}

function prefixOf (path: UpdatePath, at: number): string {
  return path.text.split('.').slice(0, at + 1).join('.')
}

function describeElement (path: UpdatePath, at: number, value: unknown): string {
  const name = path.text.split('.')[at] ?? ''
  return `${name}: ${describe(value)}`
}

function notViable (path: UpdatePath, at: number, value: unknown): CommandError {
  const parts = path.text.split('.')
  return new CommandError(ErrorCodes.PathNotViable, `Cannot create field '${parts[at + 1] ?? ''}' in element {${parts[at] ?? ''}: ${describe(value)}}`)
}
