import { failedToParse } from '../../errors.js'
import type { Document } from '../../types.js'
import { isDocument, typeNameOf } from '../../values/types.js'
import type { StageFactory } from '../context.js'
import { compilePipeline } from '../run.js'
import { leadingFilter } from './lookup-pipeline.js'
import { parseFrom } from './lookup.js'

/** `$unionWith`: another collection's documents, or a pipeline's, behind these. */
export const unionWithStage: StageFactory = (spec, context) => {
  const full = isDocument(spec) ? spec : undefined
  if (full === undefined && typeof spec !== 'string') throw failedToParse(`the $unionWith stage specification must be an object or string, but found ${typeNameOf(spec)}`)
  const coll = full === undefined ? spec : full.coll
  if (coll === undefined && full?.pipeline === undefined) throw failedToParse('$unionWith requires either a collection or a pipeline')
  const from = coll === undefined ? undefined : parseFrom(coll)
  const pipeline = full?.pipeline ?? []
  const stage = compilePipeline(pipeline, { ...context, within: '$unionWith' })
  return function * (input) {
    yield * input
    yield * stage(from === undefined ? [] : context.options.resolveCollection(from, leadingFilter(pipeline as Document[])))
  }
}
