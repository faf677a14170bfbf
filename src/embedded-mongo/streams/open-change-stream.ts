import { stageName } from '../commands/aggregate.js'
import { assertNamespace } from '../names.js'
import { findCollection, type CommandContext, type Reply } from '../commands/context.js'
import { openCursor } from '../query/cursor-reply.js'
import { pipelineOptions } from '../query/foreign-documents.js'
import { optionalDocument } from '../arguments.js'
import { findStage } from '../semantics/pipeline/stages/index.js'
import { CommandError, ErrorCodes, runPipeline, type Document } from '../semantics/index.js'
import { ChangeStreamSource } from './change-stream-source.js'
import { readStreamOptions } from './stream-options.js'
import type { StreamScope } from './change-event.js'

/** Stages that may follow `$changeStream`. */
const ALLOWED = new Set(['$match', '$project', '$addFields', '$set', '$unset', '$replaceRoot', '$replaceWith', '$redact', '$changeStreamSplitLargeEvent'])

/** Opens a change stream: the cursor of an aggregate whose first stage is `$changeStream`. */
export async function openChangeStream (context: CommandContext, pipeline: Document[], coll: string | undefined, namespace: string, batchSize: number | undefined): Promise<Reply> {
  const { engine } = context
  if (context.transaction !== undefined) throw new CommandError(ErrorCodes.OperationNotSupportedInTransaction, '$changeStream is not supported in a multi-document transaction')
  const [first, ...rest] = pipeline
  for (const stage of rest) {
    const name = stageName(stage)
    if (findStage(name) === undefined && !ALLOWED.has(name)) throw new CommandError(40324, `Unrecognized pipeline stage name: '${name}'`)
    if (!ALLOWED.has(name)) throw new CommandError(ErrorCodes.IllegalOperation, `${name} is not permitted in a $changeStream pipeline`)
  }
  const stages = rest.filter(stage => !('$changeStreamSplitLargeEvent' in stage))
  const streamOptions = readStreamOptions(engine, first!.$changeStream)
  if (streamOptions.allForCluster && (context.db !== 'admin' || coll !== undefined)) {
    throw new CommandError(ErrorCodes.InvalidOptions, "A $changeStream with 'allChangesForCluster:true' may only be opened on the 'admin' database, and with no collection name")
  }
  if (coll !== undefined) assertNamespace(context.db, coll)
  if (coll !== undefined && findCollection(context, coll)?.isView === true) {
    throw new CommandError(ErrorCodes.CommandNotSupportedOnView, '$changeStream is not supported on views')
  }
  const scope: StreamScope = streamOptions.allForCluster ? { db: undefined, coll: undefined } : { db: context.db, coll }
  const options = pipelineOptions(context, { let: optionalDocument(context.body, 'let') })
  Array.from(runPipeline([], stages, options))
  const source = new ChangeStreamSource(engine, scope, streamOptions, stages, options)
  return await openCursor(context, source, { namespace, size: batchSize ?? 101, noTimeout: true })
}
