import { stageName } from '../commands/aggregate.js'
import { assertNamespace } from '../names.js'
import { collationOf, findCollection, type CommandContext, type Reply } from '../commands/context.js'
import { openCursor } from '../query/cursor-reply.js'
import { pipelineOptions } from '../query/foreign-documents.js'
import { isPlainDocument, optionalDocument } from '../arguments.js'
import { findStage } from '../semantics/pipeline/stages/index.js'
import { CommandError, ErrorCodes, runPipeline, type Document } from '../semantics/index.js'
import { ChangeStreamSource } from './change-stream-source.js'
import { readStreamOptions } from './stream-options.js'
import type { StreamScope } from './change-event.js'

/** Stages that may follow `$changeStream`. */
const ALLOWED = new Set(['$match', '$project', '$addFields', '$set', '$unset', '$replaceRoot', '$replaceWith', '$redact', '$changeStreamSplitLargeEvent'])

const INTERNAL = new Set(['admin', 'local', 'config'])

/** Parts `$changeStreamSplitLargeEvent`, which must be the last stage, from the others. @throws CommandError 7182802, 72 */
function takeSplit (stages: Document[]): { stages: Document[], splits: boolean } {
  const at = stages.findIndex(stage => '$changeStreamSplitLargeEvent' in stage)
  if (at === -1) return { stages, splits: false }
  if (at < stages.length - 1) throw new CommandError(7182802, '$changeStreamSplitLargeEvent must be the last stage in the pipeline')
  const spec = stages[at]!.$changeStreamSplitLargeEvent
  if (!isPlainDocument(spec) || Object.keys(spec).length > 0) throw new CommandError(7182800, '$changeStreamSplitLargeEvent spec should be an empty object')
  return { stages: stages.slice(0, at), splits: true }
}

/** Opens a change stream: the cursor of an aggregate whose first stage is `$changeStream`. */
export async function openChangeStream (context: CommandContext, pipeline: Document[], coll: string | undefined, namespace: string, batchSize: number | undefined): Promise<Reply> {
  const { engine } = context
  if (context.transaction !== undefined) throw new CommandError(ErrorCodes.OperationNotSupportedInTransaction, '$changeStream is not supported in a multi-document transaction')
  const [first, ...rest] = pipeline
  for (const stage of rest) {
    const name = stageName(stage)
    if (ALLOWED.has(name)) continue
    if (findStage(name) === undefined) throw new CommandError(40324, `Unrecognized pipeline stage name: '${name}'`)
    throw new CommandError(ErrorCodes.IllegalOperation, `${name} is not permitted in a $changeStream pipeline`)
  }
  const { stages, splits } = takeSplit(rest)
  const streamOptions = readStreamOptions(engine, first!.$changeStream)
  if (streamOptions.startKind === 'fragment' && !splits) {
    throw new CommandError(280, 'To resume from a split event, the $changeStream pipeline must include a $changeStreamSplitLargeEvent stage', { errorLabels: ['NonResumableChangeStreamError'] })
  }
  if (streamOptions.allForCluster && (context.db !== 'admin' || coll !== undefined)) {
    throw new CommandError(ErrorCodes.InvalidOptions, "A $changeStream with 'allChangesForCluster:true' may only be opened on the 'admin' database, and with no collection name")
  }
  if (!streamOptions.allForCluster && INTERNAL.has(context.db)) {
    throw new CommandError(ErrorCodes.InvalidNamespace, `$changeStream may not be opened on the internal ${context.db} database`)
  }
  if (coll !== undefined) assertNamespace(context.db, coll)
  if (coll !== undefined && findCollection(context, coll)?.isView === true) {
    throw new CommandError(ErrorCodes.CommandNotSupportedOnView, '$changeStream is not supported on views')
  }
  const scope: StreamScope = streamOptions.allForCluster ? { db: undefined, coll: undefined } : { db: context.db, coll }
  const options = pipelineOptions(context, { let: optionalDocument(context.body, 'let'), collation: collationOf(context.body, undefined) })
  Array.from(runPipeline([], stages, options))
  const source = new ChangeStreamSource(engine, scope, streamOptions, stages, options, splits)
  return await openCursor(context, source, { namespace, size: batchSize ?? 101, noTimeout: true })
}
