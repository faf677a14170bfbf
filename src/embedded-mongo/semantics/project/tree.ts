import { CommandError } from '../errors.js'
import type { Evaluate, Frame } from '../expression/scope.js'
import type { Document } from '../types.js'
import { getField, isDocument, setField } from '../values/types.js'

/** What a projection does with one field. */
export type Leaf =
  | { kind: 'keep' }
  | { kind: 'drop' }
  | { kind: 'compute', evaluate: Evaluate }
  | { kind: 'transform', change: (value: unknown, frame: Frame) => unknown }

export interface Branch { kind: 'branch', children: Map<string, Leaf | Branch>, computes: boolean }

export function newBranch (): Branch {
  return { kind: 'branch', children: new Map(), computes: false }
}

/**
 * Adds a leaf at a path.
 * @throws CommandError 31249, 31250 if another path says something of the same field
 */
export function addLeaf (root: Branch, parts: string[], leaf: Leaf): void {
  let branch = root
  parts.forEach((part, at) => {
    if (leaf.kind === 'compute') branch.computes = true
    const present = branch.children.get(part)
    if (at === parts.length - 1) {
      if (present !== undefined) throw new CommandError(31250, `Path collision at ${parts.join('.')}`)
      branch.children.set(part, leaf)
      return
    }
    if (present !== undefined && present.kind !== 'branch') {
      throw new CommandError(31249, `Path collision at ${parts.join('.')} remaining portion ${parts.slice(at + 1).join('.')}`)
    }
    const next = present ?? newBranch()
    branch.children.set(part, next)
    branch = next
  })
}

/** Keeps what is named, in the document's order; computed fields follow. */
export function includeFields (doc: Document, branch: Branch, frame: Frame): Document {
  const result: Document = {}
  for (const name of Object.keys(doc)) {
    const child = branch.children.get(name)
    if (child === undefined || child.kind === 'drop' || child.kind === 'compute') continue
    const value = getField(doc, name)
    const kept = child.kind === 'branch' ? includeValue(value, child, frame) : child.kind === 'keep' ? value : child.change(value, frame)
    if (kept !== undefined) setField(result, name, kept)
  }
  if (branch.computes) computeFields(result, doc, branch, frame)
  return result
}

function includeValue (value: unknown, branch: Branch, frame: Frame): unknown {
  if (isDocument(value)) return includeFields(value, branch, frame)
  if (Array.isArray(value)) return value.map(item => includeValue(item, branch, frame)).filter(item => item !== undefined)
  return branch.computes ? includeFields({}, branch, frame) : undefined
}

function computeFields (result: Document, doc: Document, branch: Branch, frame: Frame): void {
  for (const [name, child] of branch.children) {
    if (child.kind === 'compute') {
      const value = child.evaluate(frame)
      if (value === undefined) delete result[name]
      else setField(result, name, value)
    } else if (child.kind === 'branch' && child.computes && getField(doc, name) === undefined) {
      setField(result, name, includeFields({}, child, frame))
    }
  }
}

/** Keeps everything but what is named; `transform` and `compute` leaves change fields in place or add them. */
export function excludeFields (doc: Document, branch: Branch, frame: Frame): Document {
  const result: Document = {}
  for (const name of Object.keys(doc)) {
    const child = branch.children.get(name)
    const value = getField(doc, name)
    if (child?.kind === 'drop') continue
    const kept = child === undefined ? value : changeValue(value, child, frame)
    if (kept !== undefined) setField(result, name, kept)
  }
  if (branch.computes) {
    for (const [name, child] of branch.children) {
      if (getField(doc, name) !== undefined) continue
      const value = changeValue(undefined, child, frame)
      if (value !== undefined) setField(result, name, value)
    }
  }
  return result
}

function changeValue (value: unknown, child: Leaf | Branch, frame: Frame): unknown {
  switch (child.kind) {
    case 'branch': return excludeValue(value, child, frame)
    case 'compute': return child.evaluate(frame)
    case 'transform': return child.change(value, frame)
    case 'drop': return undefined
    default: return value
  }
}

function excludeValue (value: unknown, branch: Branch, frame: Frame): unknown {
  if (isDocument(value)) return excludeFields(value, branch, frame)
  if (Array.isArray(value)) return value.map(item => excludeValue(item, branch, frame))
  return branch.computes ? excludeFields({}, branch, frame) : value
}
