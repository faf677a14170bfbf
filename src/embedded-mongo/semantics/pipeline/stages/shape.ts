import { CommandError } from '../../errors.js'
import { compileExpression } from '../../expression/compile.js'
import { splitFieldPath } from '../../expression/field-path.js'
import { CURRENT, onDocument, ROOT, type Frame, type Scope } from '../../expression/scope.js'
import { compileFilter } from '../../match/compile.js'
import { parseProjection } from '../../project/parse.js'
import { addLeaf, excludeFields, includeFields, newBranch, type Branch } from '../../project/tree.js'
import type { Document } from '../../types.js'
import { toInteger } from '../../values/numbers.js'
import { isDocument, isNumeric, typeNameOf } from '../../values/types.js'
import { scopeOf, type StageFactory } from '../context.js'
import { PAUSE, type Item } from '../flow.js'

export const matchStage: StageFactory = (spec, context) => {
  if (!isDocument(spec)) throw new CommandError(15959, 'the match filter must be an expression in an object')
  const { collation } = context.options
  const matches = compileFilter(spec, { collation, now: context.now, cells: context.cells })
  return function * (input) {
    for (const item of input) if (item === PAUSE || matches(item)) yield item
  }
}

/** Maps documents one by one. */
function mapping (change: (doc: Document) => Document) {
  return function * (input: Iterable<Item>): Iterable<Item> {
    for (const item of input) yield item === PAUSE ? PAUSE : change(item)
  }
}

function withFrame (scope: Scope, change: (doc: Document, frame: Frame) => Document): (doc: Document) => Document {
  const frame: Frame = new Array(scope.counter.slots).fill(undefined)
  return doc => {
    frame[ROOT] = doc
    frame[CURRENT] = doc
    return change(doc, frame)
  }
}

export function compileProject (spec: unknown, scope: Scope): (doc: Document) => Document {
  if (!isDocument(spec)) throw new CommandError(15969, '$project specification must be an object')
  if (Object.keys(spec).length === 0) throw new CommandError(51272, 'Invalid $project :: caused by :: projection specification must have at least one field')
  const { root, inclusive } = parseProjection(spec, scope)
  return withFrame(scope, (doc, frame) => inclusive ? includeFields(doc, root, frame) : excludeFields(doc, root, frame))
}

export const projectStage: StageFactory = (spec, context) => mapping(compileProject(spec, scopeOf(context)))

export function compileAddFields (spec: unknown, scope: Scope, name = '$addFields'): (doc: Document) => Document {
  if (!isDocument(spec)) throw new CommandError(40272, `${name} specification stage must be an object, got ${typeNameOf(spec)}`)
  const root = newBranch()
  if (Object.keys(spec).length === 0) throw new CommandError(40177, `Invalid ${name} :: caused by :: specification must have at least one field`)
  addComputed(root, [], spec, scope)
  return withFrame(scope, (doc, frame) => excludeFields(doc, root, frame))
}

function addComputed (root: Branch, prefix: string[], spec: Document, scope: Scope): void {
  for (const [name, value] of Object.entries(spec)) {
    const parts = [...prefix, ...splitFieldPath(name)]
    const isNested = isDocument(value) && Object.keys(value).length > 0 && !Object.keys(value)[0]?.startsWith('$')
    if (isNested) addComputed(root, parts, value, scope)
    else addLeaf(root, parts, { kind: 'compute', evaluate: compileExpression(value, scope) })
  }
}

export const addFieldsStage: StageFactory = (spec, context) => mapping(compileAddFields(spec, scopeOf(context)))
export const setStage: StageFactory = (spec, context) => mapping(compileAddFields(spec, scopeOf(context), '$set'))

export function compileUnset (spec: unknown): (doc: Document) => Document {
  const names: unknown[] = Array.isArray(spec) ? spec : [spec]
  if (names.length === 0) throw new CommandError(31119, '$unset specification must be a string or an array with at least one field')
  const root = newBranch()
  for (const name of names) {
    if (typeof name !== 'string') throw new CommandError(Array.isArray(spec) ? 31120 : 31002, '$unset specification must be a string or an array containing only string values')
    addLeaf(root, splitFieldPath(name), { kind: 'drop' })
  }
  return doc => excludeFields(doc, root, [doc, doc])
}

export const unsetStage: StageFactory = spec => mapping(compileUnset(spec))

export function compileReplaceRoot (spec: unknown, scope: Scope, name: '$replaceRoot' | '$replaceWith'): (doc: Document) => Document {
  if (name === '$replaceRoot') {
    if (!isDocument(spec)) throw new CommandError(40229, `expected an object as specification for $replaceRoot stage, got ${typeNameOf(spec)}`)
    if (!('newRoot' in spec)) throw new CommandError(40231, 'no newRoot specified for the $replaceRoot stage')
  }
  const evaluate = onDocument(compileExpression(name === '$replaceRoot' ? (spec as Document).newRoot : spec, scope), scope)
  return doc => {
    const root = evaluate(doc)
    if (!isDocument(root)) {
      throw new CommandError(40228, `'${name === '$replaceRoot' ? 'newRoot' : 'replacement document'}' expression must evaluate to an object, but resulting value was: ${root === undefined ? 'MISSING' : String(root)}. Type of resulting value: '${typeNameOf(root)}'.`)
    }
    return root
  }
}

export const replaceRootStage: StageFactory = (spec, context) => mapping(compileReplaceRoot(spec, scopeOf(context), '$replaceRoot'))
export const replaceWithStage: StageFactory = (spec, context) => mapping(compileReplaceRoot(spec, scopeOf(context), '$replaceWith'))

export const limitStage: StageFactory = spec => {
  const limit = isNumeric(spec) ? toInteger(spec) : undefined
  if (limit === undefined) throw new CommandError(2107201, `invalid argument to $limit stage: Expected a number in: $limit: ${String(spec)}`)
  if (limit <= 0) throw new CommandError(15958, 'the limit must be positive')
  return function * (input) {
    let left = limit
    for (const item of input) {
      yield item
      if (item !== PAUSE && --left === 0) return
    }
  }
}

export const skipStage: StageFactory = spec => {
  const skip = isNumeric(spec) ? toInteger(spec) : undefined
  if (skip === undefined || skip < 0) throw new CommandError(5107200, `invalid argument to $skip stage: Expected a non-negative number in: $skip: ${String(spec)}`)
  return function * (input) {
    let left = skip
    for (const item of input) {
      if (item === PAUSE || left === 0) yield item
      else left -= 1
    }
  }
}
