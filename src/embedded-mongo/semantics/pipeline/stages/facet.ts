import { badValue, CommandError } from '../../errors.js'
import type { Document } from '../../types.js'
import { isDocument, typeNameOf } from '../../values/types.js'
import type { StageFactory } from '../context.js'
import { collect, paced } from '../flow.js'
import { compilePipeline } from '../run.js'

/** `$facet`: several pipelines over the same documents, which are kept for it. */
export const facetStage: StageFactory = (spec, context) => {
  if (!isDocument(spec)) throw new CommandError(40169, `the $facet specification must be a non-empty object, but found: ${typeNameOf(spec)}`)
  if (Object.keys(spec).length === 0) throw new CommandError(40169, 'the $facet specification must be a non-empty object')
  const facets = Object.entries(spec).map(([name, pipeline]) => {
    if (!Array.isArray(pipeline)) throw new CommandError(40170, `arguments to $facet must be arrays, ${name} is type ${typeNameOf(pipeline)}`)
    if (name.includes('.') || name.startsWith('$')) throw badValue(`FieldPath field names may not contain '.' or start with '$': ${name}`)
    return { name, stage: compilePipeline(pipeline, { ...context, within: '$facet' }) }
  })
  return function * (input) {
    const documents = yield * collect(input)
    const result: Document = {}
    for (const { name, stage } of facets) result[name] = yield * collect(stage(paced(documents, context.pace)))
    yield result
  }
}
