import { viewOf, type CommandContext } from '../commands/context.js'
import { stageName } from '../commands/aggregate.js'
import { Slice } from '../interrupt.js'
import { CommandError, flowPipeline, type Document } from '../semantics/index.js'
import type { Collection } from '../storage/collection.js'
import { countFast } from './count-documents.js'
import type { BatchSource } from './cursors.js'
import { pipelineOptions } from './foreign-documents.js'
import { DocumentReader } from './read-documents.js'
import { FindSource, IterableSource } from './sources.js'
import { flowDocuments, takeQuery, type StageRequest } from './stage-flow.js'

export interface PipelineRequest extends StageRequest {
  collection: Collection | undefined
  /** Documents made by a first stage of its own, instead of a collection's. */
  documents?: Iterable<Document> | undefined
}

/** Parts the stages from the `$out` or `$merge` at the end. */
export function splitPipeline (pipeline: Document[]): { stages: Document[], output: Document | undefined } {
  const last = pipeline.at(-1)
  const isOutput = (stage: Document): boolean => '$out' in stage || '$merge' in stage
  if (pipeline.slice(0, -1).some(isOutput)) throw new CommandError(40601, '$out and $merge can only be the final stage in the pipeline')
  return last !== undefined && isOutput(last) ? { stages: pipeline.slice(0, -1), output: last } : { stages: pipeline, output: undefined }
}

/**
 * Runs stages over a collection: what can be is left to the planner, the rest goes through the pipeline, which reads
 * the documents as it needs them and pauses after every slice of time.
 */
export function runStages (context: CommandContext, request: PipelineRequest): BatchSource {
  const slice = new Slice()
  const options = pipelineOptions(context, request, slice)
  const { collection, stages } = request
  for (const stage of stages) stageName(stage)
  if (request.documents !== undefined) return new IterableSource(flowPipeline(request.documents, stages, options), slice)
  if (collection === undefined) return new IterableSource(flowPipeline([], stages, options), slice)
  const { query, rest } = takeQuery(request)
  const counted = countFast(viewOf(context), collection, query, rest)
  if (counted !== undefined) return new IterableSource(counted)
  const reader = new DocumentReader(viewOf(context), collection, query)
  if (rest.length === 0) return new FindSource(reader, undefined)
  return new IterableSource(flowPipeline(flowDocuments(reader, slice), rest, options), slice)
}
