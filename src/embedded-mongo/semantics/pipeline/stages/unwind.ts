import { Long } from 'bson'
import { CommandError } from '../../errors.js'
import { splitFieldPath, valueAtPath, withValueAt } from '../../expression/field-path.js'
import type { Document } from '../../types.js'
import { isDocument, typeNameOf } from '../../values/types.js'
import type { StageFactory } from '../context.js'
import { PAUSE } from '../flow.js'

interface Unwind { parts: string[], index: string[] | undefined, preserve: boolean }

function parseUnwind (spec: unknown): Unwind {
  if (typeof spec === 'string') return { parts: parsePath(spec), index: undefined, preserve: false }
  if (!isDocument(spec)) throw new CommandError(15981, `expected either a string or an object as specification for $unwind stage, got ${typeNameOf(spec)}`)
  const { path, includeArrayIndex, preserveNullAndEmptyArrays = false } = spec
  for (const key of Object.keys(spec)) {
    if (!['path', 'includeArrayIndex', 'preserveNullAndEmptyArrays'].includes(key)) throw new CommandError(28811, `unrecognized option to $unwind stage: ${key}`)
  }
  if (path === undefined) throw new CommandError(28812, 'no path specified to $unwind stage')
  if (typeof path !== 'string') throw new CommandError(28808, `expected a string as the path for $unwind stage, got ${typeNameOf(path)}`)
  if (typeof preserveNullAndEmptyArrays !== 'boolean') throw new CommandError(28809, `expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage, got ${typeNameOf(preserveNullAndEmptyArrays)}`)
  if (includeArrayIndex !== undefined && (typeof includeArrayIndex !== 'string' || includeArrayIndex === '')) throw new CommandError(28810, `expected a non-empty string for the includeArrayIndex option to $unwind stage, got ${typeNameOf(includeArrayIndex)}`)
  if (typeof includeArrayIndex === 'string' && includeArrayIndex.startsWith('$')) throw new CommandError(28822, `includeArrayIndex option to $unwind stage should not be prefixed with a '$': ${includeArrayIndex}`)
  return { parts: parsePath(path), index: typeof includeArrayIndex === 'string' ? splitFieldPath(includeArrayIndex) : undefined, preserve: preserveNullAndEmptyArrays }
}

function parsePath (path: string): string[] {
  if (!path.startsWith('$')) throw new CommandError(28818, `path option to $unwind stage should be prefixed with a '$': ${path}`)
  return splitFieldPath(path.slice(1))
}

/** `$unwind`: one document for each array element; a value that is no array counts as its only element. */
export const unwindStage: StageFactory = (spec, { pace }) => {
  const unwind = parseUnwind(spec)
  return function * (input) {
    for (const item of input) {
      if (item === PAUSE) {
        yield PAUSE
        continue
      }
      for (const doc of unwindDocument(item, unwind)) {
        if (pace.isOver()) yield PAUSE
        yield doc
      }
    }
  }
}

function * unwindDocument (doc: Document, { parts, index, preserve }: Unwind): Iterable<Document> {
  const value = singleValue(doc, parts)
  const indexed = (result: Document, position: unknown) => index === undefined ? result : withValueAt(result, index, position)
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) yield indexed(withValueAt(doc, parts, value[i]), Long.fromNumber(i))
    if (value.length === 0 && preserve) yield indexed(withValueAt(doc, parts, undefined), null)
  } else if (value !== null && value !== undefined) {
    yield indexed(doc, null)
  } else if (preserve) {
    yield indexed(doc, null)
  }
}

/** The value at the path, unless an array is on the way: that is not entered. */
function singleValue (doc: Document, parts: string[]): unknown {
  let value: unknown = doc
  for (const part of parts) {
    if (!isDocument(value)) return undefined
    value = valueAtPath(value, [part])
  }
  return value
}
