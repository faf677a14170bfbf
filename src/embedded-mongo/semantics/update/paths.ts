import { badValue, CommandError, ErrorCodes } from '../errors.js'
import { toIndex } from '../paths/walk.js'

/** One step of an update's path. */
export type Step =
  | { kind: 'field', name: string, index: number }
  | { kind: 'matched' }
  | { kind: 'all' }
  | { kind: 'filtered', identifier: string }

export interface UpdatePath { text: string, steps: Step[] }

/**
 * Reads a path such as `a.b.0`, `a.$.b`, `a.$[].b` or `a.$[id].b`.
 * @throws CommandError 56 EmptyFieldName, 52 DollarPrefixedFieldName, 2 BadValue
 */
export function parseUpdatePath (text: string): UpdatePath {
  if (text === '') throw new CommandError(ErrorCodes.EmptyFieldName, 'An empty update path is not valid.')
  const parts = text.split('.')
  const steps = parts.map((part, at): Step => {
    if (part === '') throw new CommandError(ErrorCodes.EmptyFieldName, `The update path '${text}' contains an empty field name, which is not allowed.`)
    const step = parseStep(part, text)
    if (step.kind !== 'field' && at === 0) {
      throw badValue(step.kind === 'matched'
        ? `Cannot have positional (i.e. '$') element in the first position in path '${text}'`
        : `Cannot have array filter identifier (i.e. '$[<id>]') element in the first position in path '${text}'`)
    }
    return step
  })
  if (steps.filter(step => step.kind === 'matched').length > 1) throw badValue(`Too many positional (i.e. '$') elements found in path '${text}'`)
  return { text, steps }
}

function parseStep (part: string, path: string): Step {
  if (part === '$') return { kind: 'matched' }
  if (part === '$[]') return { kind: 'all' }
  const filtered = /^\$\[(.+)\]$/.exec(part)?.[1]
  if (filtered !== undefined) return { kind: 'filtered', identifier: filtered }
  if (part.startsWith('$')) {
    throw new CommandError(ErrorCodes.DollarPrefixedFieldName, `The dollar ($) prefixed field '${part}' in '${path}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`)
  }
  return { kind: 'field', name: part, index: toIndex(part) }
}

/** The order updates are applied in: by field name, numbers by value (the manual, "Update Operators Behavior"). */
export function comparePaths (a: UpdatePath, b: UpdatePath): number {
  const left = a.text.split('.')
  const right = b.text.split('.')
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const one = left[i] ?? ''
    const two = right[i] ?? ''
    if (one === two) continue
    const first = toIndex(one)
    const second = toIndex(two)
    if (first >= 0 && second >= 0) return first - second
    return one < two ? -1 : 1
  }
  return left.length - right.length
}

/**
 * Refuses two updates of one place.
 * @throws CommandError 40 ConflictingUpdateOperators
 */
export function assertNoConflicts (paths: string[]): void {
  const seen = new Set<string>()
  const inner = new Map<string, string>()
  for (const path of paths) {
    const parts = path.split('.')
    const prefixes = parts.map((_, index) => parts.slice(0, index + 1).join('.'))
    const conflict = inner.has(path) ? path : prefixes.find(prefix => seen.has(prefix))
    if (conflict !== undefined) {
      throw new CommandError(ErrorCodes.ConflictingUpdateOperators, `Updating the path '${path}' would create a conflict at '${conflict}'`)
    }
    seen.add(path)
    for (const prefix of prefixes) inner.set(prefix, path)
  }
}
