import { failedToParse } from '../../errors.js'
import { splitFieldPath, withValueAt } from '../../expression/field-path.js'
import { parsePath, type Path } from '../../paths/walk.js'
import type { CollectionReference, Document } from '../../types.js'
import { isDocument, typeNameOf } from '../../values/types.js'
import type { StageFactory } from '../context.js'
import { PAUSE } from '../flow.js'
import { EqualityJoin, matchableValues } from './equality-join.js'
import { compileNested } from './lookup-pipeline.js'

const options = ['from', 'as', 'localField', 'foreignField', 'let', 'pipeline', '_internalUnwind']

/**
 * `$lookup`: equality of two fields, a pipeline, or both. Equality follows queries: arrays match by element on
 * either side, null matches missing.
 */
export const lookupStage: StageFactory = (spec, context) => {
  if (!isDocument(spec)) throw failedToParse(`the $lookup stage specification must be an object, but found ${typeNameOf(spec)}`)
  for (const key of Object.keys(spec)) if (!options.includes(key)) throw failedToParse(`unknown argument to $lookup: ${key}`)
  const { as, localField, foreignField } = spec
  if (typeof as !== 'string') throw failedToParse("must specify 'as' field for a $lookup")
  const from = spec.from === undefined && Array.isArray(spec.pipeline) ? undefined : parseFrom(spec.from)
  const pair = [localField, foreignField].filter(field => field !== undefined).length
  if (pair === 1 || (pair === 0 && spec.pipeline === undefined)) throw failedToParse("$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified")
  const target = splitFieldPath(as)
  const fields = pair === 2 ? { local: parsePath(fieldName(localField)), foreign: fieldName(foreignField) } : undefined
  const nested = spec.pipeline === undefined ? undefined : compileNested(spec, from, context)
  return function * (input) {
    const join = fields === undefined ? undefined : new EqualityJoin(from, fields.foreign, context)
    for (const doc of input) {
      if (doc === PAUSE) {
        yield PAUSE
        continue
      }
      const matching = join === undefined ? undefined : yield * join.find(joiningValues(doc, fields!.local))
      const joined = nested === undefined ? matching ?? [] : yield * nested(doc, matching)
      if (context.pace.isOver()) yield PAUSE
      yield withValueAt(doc, target, joined)
    }
  }
}

function fieldName (field: unknown): string {
  if (typeof field !== 'string') throw failedToParse(`$lookup argument must be a string, but found type: ${typeNameOf(field)}`)
  splitFieldPath(field)
  return field
}

export function parseFrom (from: unknown): CollectionReference {
  if (typeof from === 'string') return { coll: from }
  if (isDocument(from) && typeof from.coll === 'string') return typeof from.db === 'string' ? { db: from.db, coll: from.coll } : { coll: from.coll }
  throw failedToParse(`$lookup 'from' must be a string or an object with 'db' and 'coll', but found ${typeNameOf(from)}`)
}

/** The values of the local field that the other side's are compared with: an array joins by its elements. */
function joiningValues (doc: Document, path: Path): unknown[] {
  const found = matchableValues(doc, path)
  const arrays = found.filter(Array.isArray)
  const wanted = (arrays.length > 0 ? found.filter(value => !Array.isArray(value) || arrays.some(array => array.includes(value))) : found).map(value => value ?? null)
  return wanted.length === 0 && arrays.length === 0 ? [null] : wanted
}
