import { isPlainDocument, optionalArray, optionalBoolean, optionalDocument } from '../arguments.js'
import { cursorBatchSize, openCursor } from '../query/cursor-reply.js'
import type { BatchSource } from '../query/cursors.js'
import { IterableSource } from '../query/sources.js'
import { runStages, splitPipeline, type PipelineRequest } from '../query/pipeline-source.js'
import { sourceStage } from '../query/source-stages.js'
import { CommandError, ErrorCodes, type Document } from '../semantics/index.js'
import { openChangeStream } from '../streams/open-change-stream.js'
import { writeOutput } from '../writes/pipeline-output.js'
import type { Collection } from '../storage/collection.js'
import { StoreView } from '../storage/view.js'
import { collationOf, collectionName, findCollection, type CommandContext, type Handler, type Reply } from './context.js'

export const aggregate: Handler = async context => {
  const { body } = context
  const pipeline = readPipeline(body.pipeline)
  if (body.cursor === undefined && optionalBoolean(body, 'explain') !== true) {
    throw new CommandError(ErrorCodes.FailedToParse, "The 'cursor' option is required, except for aggregate with the explain argument")
  }
  const batchSize = cursorBatchSize(body)
  const isDatabaseWide = typeof body.aggregate !== 'string'
  const name = isDatabaseWide ? '$cmd.aggregate' : collectionName(context)
  const namespace = `${context.db}.${name}`
  const first = pipeline[0] === undefined ? undefined : stageName(pipeline[0])
  if (first === '$changeStream') return await openChangeStream(context, pipeline, isDatabaseWide ? undefined : name, namespace, batchSize)
  const source = await openPipeline(context, isDatabaseWide ? undefined : name, pipeline)
  return await openCursor(context, source, { namespace, size: batchSize })
}

/** A find on a view, as the pipeline it stands for. */
export async function aggregateView (context: CommandContext, pipeline: Document[], batchSize: number | undefined): Promise<Reply> {
  const name = collectionName(context)
  return await openCursor(context, await openPipeline(context, name, pipeline), { namespace: `${context.db}.${name}`, size: batchSize })
}

export async function openPipeline (context: CommandContext, name: string | undefined, pipeline: Document[]): Promise<BatchSource> {
  const collection = name === undefined ? undefined : findCollection(context, name)
  const collation = collationOf(context.body, collection)
  const { stages, output } = splitPipeline(pipeline)
  const resolved = collection?.isView === true ? resolveView(context, collection, stages) : { collection, stages }
  const made = sourceStage(context, name, resolved.stages)
  if (made === undefined && name === undefined) {
    throw new CommandError(ErrorCodes.InvalidNamespace, '{aggregate: 1} is not valid for an empty pipeline or a first stage that needs a collection.')
  }
  const request: PipelineRequest = {
    collection: resolved.collection,
    documents: made?.documents,
    stages: made === undefined ? resolved.stages : made.rest,
    collation,
    let: optionalDocument(context.body, 'let'),
    hint: context.body.hint
  }
  if (output === undefined) return runStages(context, request)
  await writeResults(context, output, request)
  return new IterableSource([])
}

/** Runs a pipeline and writes its results. It reads the state of its beginning: never what it writes itself. */
async function writeResults (context: CommandContext, output: Document, request: PipelineRequest): Promise<void> {
  const { state, oplog } = context.engine
  const snapshot = state.openSnapshot()
  try {
    const past = context.snapshot ?? { time: oplog.clock.now, view: new StoreView(state.environment, { snapshot }) }
    await writeOutput(context, output, runStages({ ...context, snapshot: past }, request))
  } finally {
    snapshot.done()
  }
}

/** Follows views down to their collection, putting their stages in front. */
export function resolveView (context: CommandContext, view: Collection, stages: Document[]): { collection: Collection | undefined, stages: Document[] } {
  let current: Collection | undefined = view
  let all = stages
  for (let depth = 0; current?.isView === true; depth++) {
    if (depth > 20) throw new CommandError(ErrorCodes.GraphContainsCycle, 'View depth too deep or view cycle detected')
    all = [...(current.options.pipeline as Document[] | undefined ?? []), ...all]
    current = findCollection(context, current.options.viewOn as string, current.db)
  }
  return { collection: current, stages: all }
}

export function readPipeline (value: unknown): Document[] {
  const stages = optionalArray({ pipeline: value }, 'pipeline')
  if (stages === undefined) throw new CommandError(40414, "BSON field 'aggregate.pipeline' is missing but a required field")
  return stages.map(stage => {
    if (!isPlainDocument(stage)) throw new CommandError(ErrorCodes.TypeMismatch, 'Each element of the \'pipeline\' array must be an object')
    return stage
  })
}

export function stageName (stage: Document): string {
  const names = Object.keys(stage)
  if (names.length !== 1) throw new CommandError(40323, 'A pipeline stage specification object must contain exactly one field.')
  return names[0]!
}
