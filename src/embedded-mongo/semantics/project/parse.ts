import { CommandError, ErrorCodes } from '../errors.js'
import { compileExpression } from '../expression/compile.js'
import { assertFieldName } from '../expression/field-path.js'
import type { Scope } from '../expression/scope.js'
import type { Document } from '../types.js'
import { toNumber } from '../values/numbers.js'
import { isDocument, isNumeric } from '../values/types.js'
import { addLeaf, newBranch, type Branch, type Leaf } from './tree.js'

/** Leaves that only `find` has, such as `$slice`; undefined for anything else. */
export type SpecialLeaf = (path: string, value: unknown) => { path: string, leaf: Leaf, includes: boolean | undefined } | undefined

export interface ParsedProjection { root: Branch, inclusive: boolean }

interface Parsing { root: Branch, inclusive: boolean | undefined, includesId: boolean | undefined, scope: Scope, special: SpecialLeaf }

/**
 * Reads a projection: all fields are kept or all are dropped, `_id` apart; expressions add fields.
 * @throws CommandError 31253, 31254 for a mixture of both
 */
export function parseProjection (spec: Document, scope: Scope, special: SpecialLeaf = () => undefined): ParsedProjection {
  const parsing: Parsing = { root: newBranch(), inclusive: undefined, includesId: undefined, scope, special }
  parseFields(spec, '', parsing)
  const inclusive = parsing.inclusive ?? parsing.includesId ?? false
  if (parsing.includesId !== false && inclusive && !parsing.root.children.has('_id')) parsing.root.children.set('_id', { kind: 'keep' })
  if (parsing.includesId === true && !inclusive) parsing.root.children.delete('_id')
  return { root: parsing.root, inclusive }
}

function parseFields (spec: Document, prefix: string, parsing: Parsing): void {
  for (const [name, value] of Object.entries(spec)) parseField(prefix + name, value, parsing)
}

function parseField (path: string, value: unknown, parsing: Parsing): void {
  const special = parsing.special(path, value)
  if (special !== undefined) {
    if (special.includes !== undefined) decide(parsing, special.path, special.includes)
    return addLeaf(parsing.root, checkedParts(special.path), special.leaf)
  }
  if (typeof value === 'boolean' || isNumeric(value)) return parseFlag(path, value === true || (value !== false && toNumber(value) !== 0), parsing)
  if (isDocument(value)) {
    const [first] = Object.keys(value)
    if (first === undefined) throw new CommandError(51270, `An empty sub-projection is not a valid value. Found empty object at path: "${path}"`)
    if (!first.startsWith('$')) return parseFields(value, `${path}.`, parsing)
  }
  if (parsing.inclusive === false) throw new CommandError(31252, `Cannot use an expression ${path} in an exclusion projection`)
  if (path !== '_id') parsing.inclusive = true
  else parsing.includesId = true
  addLeaf(parsing.root, checkedParts(path), { kind: 'compute', evaluate: compileExpression(value, parsing.scope) })
}

function parseFlag (path: string, includes: boolean, parsing: Parsing): void {
  const parts = checkedParts(path)
  if (path === '_id') parsing.includesId = includes
  else decide(parsing, path, includes)
  addLeaf(parsing.root, parts, includes ? { kind: 'keep' } : { kind: 'drop' })
}

function decide (parsing: Parsing, path: string, includes: boolean): void {
  if (parsing.inclusive === undefined) parsing.inclusive = includes
  else if (parsing.inclusive !== includes) {
    throw new CommandError(includes ? 31253 : 31254, `Cannot do ${includes ? 'inclusion' : 'exclusion'} on field ${path} in ${includes ? 'exclusion' : 'inclusion'} projection`)
  }
}

function checkedParts (path: string): string[] {
  if (path === '') throw new CommandError(40352, 'FieldPath cannot be constructed with empty string')
  if (path.endsWith('.')) throw new CommandError(40353, "FieldPath must not end with a '.'.")
  const parts = path.split('.')
  for (const part of parts) assertFieldName(part)
  if (parts.length > 200) throw new CommandError(ErrorCodes.Overflow, 'Field path is too long')
  return parts
}
