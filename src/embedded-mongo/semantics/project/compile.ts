import { badValue, CommandError } from '../errors.js'
import { CURRENT, rootScope, ROOT, type Frame } from '../expression/scope.js'
import { compileFilter, elementTest, matchWithPosition } from '../match/compile.js'
import { matchPosition } from '../paths/walk.js'
import type { Document, ProjectionOptions } from '../types.js'
import { toInteger } from '../values/numbers.js'
import { isDocument, isNumeric, typeNameOf } from '../values/types.js'
import { parseProjection, type SpecialLeaf } from './parse.js'
import { excludeFields, includeFields } from './tree.js'

/**
 * Compiles `find`'s projection: inclusion or exclusion, `$slice`, `$elemMatch`, the positional `field.$`, and
 * expressions. An empty one returns documents as they are.
 * @throws CommandError for what is no projection; the compiled function throws 51246 if `$` has no element
 */
export function compileProjection (projection: Document, options: ProjectionOptions = {}): (doc: Document) => Document {
  if (Object.keys(projection).length === 0) return doc => doc
  const scope = rootScope(options)
  let positional = 0
  let position = -1
  const special: SpecialLeaf = (path, value) => {
    if (path.endsWith('.$')) {
      if (++positional > 1) throw new CommandError(31276, 'Cannot specify more than one positional projection per query.')
      if (value === false || (isNumeric(value) && toInteger(value) === 0)) throw new CommandError(31395, 'positional projection cannot be used with exclusion')
      return { path: path.slice(0, -2), includes: true, leaf: { kind: 'transform', change: item => pickElement(item, position) } }
    }
    return findOperator(path, value, options)
  }
  const { root, inclusive } = parseProjection(projection, scope, special)
  const matcher = positional > 0 ? compileFilter(options.filter ?? {}, options) : undefined
  const frame: Frame = new Array(scope.counter.slots).fill(undefined)
  return doc => {
    frame[ROOT] = doc
    frame[CURRENT] = doc
    if (matcher !== undefined) position = matchWithPosition(matcher, doc).index
    return inclusive ? includeFields(doc, root, frame) : excludeFields(doc, root, frame)
  }
}

function pickElement (value: unknown, position: number): unknown {
  if (!Array.isArray(value)) return value
  if (position < 0 || position >= value.length) {
    throw new CommandError(51246, "Executor error during find command :: caused by :: positional operator '.$' couldn't find a matching element in the array")
  }
  return [value[position]]
}

function findOperator (path: string, value: unknown, options: ProjectionOptions): ReturnType<SpecialLeaf> {
  if (!isDocument(value)) return undefined
  const [name] = Object.keys(value)
  if (name === '$meta') throw new CommandError(40218, 'query requires text score metadata, but it is not available')
  if (name === '$slice') {
    const slice = parseSlice(value.$slice)
    return slice === undefined ? undefined : { path, includes: undefined, leaf: { kind: 'transform', change: slice } }
  }
  if (name !== '$elemMatch') return undefined
  if (!isDocument(value.$elemMatch)) throw badValue(`elemMatch: Invalid argument, object required, but got ${typeNameOf(value.$elemMatch)}`)
  if (path.includes('.')) throw new CommandError(31275, 'Cannot use $elemMatch projection on a nested field.')
  const test = elementTest(value.$elemMatch, options)
  return {
    path,
    includes: true,
    leaf: { kind: 'transform', change: item => Array.isArray(item) && test(item) ? [item[matchPosition.index]] : undefined }
  }
}

/** `$slice: n` or `[skip, n]`; other operands make it the aggregation operator of that name. */
function parseSlice (operand: unknown): ((value: unknown) => unknown) | undefined {
  if (isNumeric(operand)) {
    const count = toInteger(operand) ?? 0
    return value => !Array.isArray(value) ? value : count >= 0 ? value.slice(0, count) : value.slice(count)
  }
  if (!Array.isArray(operand)) throw new CommandError(28667, `Invalid $slice syntax. The given syntax { $slice: ${String(operand)} } did not match the find() syntax because :: Location31273: $slice only supports numbers and [x, y] arrays`)
  if (operand.length !== 2 || !operand.every(isNumeric)) return undefined
  const [skip, count] = operand.map(item => toInteger(item) ?? 0) as [number, number]
  if (count <= 0) throw new CommandError(28724, 'First argument to $slice must be an array, but is of type: int')
  return value => {
    if (!Array.isArray(value)) return value
    const start = skip < 0 ? Math.max(value.length + skip, 0) : skip
    return value.slice(start, start + count)
  }
}
