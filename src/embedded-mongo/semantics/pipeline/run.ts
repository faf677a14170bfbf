import { CommandError, typeMismatch } from '../errors.js'
import type { Document, PipelineOptions } from '../types.js'
import { isDocument } from '../values/types.js'
import { contextOf, type Stage, type StageContext } from './context.js'
import { withoutPauses, type Item } from './flow.js'
import { countWanted } from './optimize.js'
import { findStage } from './stages/index.js'

/**
 * Runs an aggregation pipeline. Stages are compiled at once, so that a mistake is reported before any document
 * is read; documents then flow lazily, except through stages that need them all.
 * @throws CommandError 40324 for an unknown stage, and what the stages throw
 */
export function runPipeline (input: Iterable<Document>, pipeline: Document[], options: PipelineOptions): Iterable<Document> {
  return withoutPauses(compilePipeline(pipeline, contextOf({ ...options, pace: undefined }))(input))
}

/** The same for a caller that gives way to other work whenever a pause comes instead of a document. */
export function flowPipeline (input: Iterable<Item>, pipeline: Document[], options: PipelineOptions): Iterable<Item> {
  return compilePipeline(pipeline, contextOf(options))(input)
}

export function compilePipeline (pipeline: unknown, context: StageContext): Stage {
  if (!Array.isArray(pipeline)) throw typeMismatch("'pipeline' option must be specified as an array")
  const stages = pipeline.map((stage: unknown, index) => compileStage(stage, index, { ...context, wanted: countWanted(pipeline, index + 1) }))
  return input => stages.reduce((documents, stage) => stage(documents), input)
}

function compileStage (stage: unknown, index: number, context: StageContext): Stage {
  if (!isDocument(stage)) throw typeMismatch("Each element of the 'pipeline' array must be an object")
  const names = Object.keys(stage)
  const [name] = names
  if (name === undefined || names.length !== 1) throw new CommandError(40323, 'A pipeline stage specification object must contain exactly one field.')
  const factory = findStage(name)
  if (factory === undefined) throw new CommandError(40324, `Unrecognized pipeline stage name: '${name}'`)
  if (context.within === '$facet' && (name === '$facet' || name === '$documents')) throw new CommandError(40600, `${name} is not allowed to be used within a $facet stage`)
  if (name === '$documents' && index > 0) throw new CommandError(40602, '$documents is only valid as the first stage in a pipeline')
  return factory(stage[name], context)
}
