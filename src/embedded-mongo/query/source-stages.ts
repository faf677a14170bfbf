import { Binary, Int32, Long } from 'bson'
import { isPlainDocument } from '../arguments.js'
import { findCollection, type CommandContext } from '../commands/context.js'
import { CommandError, ErrorCodes, runPipeline, type Document } from '../semantics/index.js'
import { pipelineOptions } from './foreign-documents.js'

/** Stages that make their own documents and must come first. */
export function sourceStage (context: CommandContext, name: string | undefined, stages: Document[]): { documents: Iterable<Document>, rest: Document[] } | undefined {
  const [first, ...rest] = stages
  if (first === undefined) return undefined
  const documents = makeDocuments(context, name, first)
  return documents === undefined ? undefined : { documents, rest }
}

function makeDocuments (context: CommandContext, name: string | undefined, stage: Document): Iterable<Document> | undefined {
  if ('$documents' in stage) {
    if (name !== undefined) throw new CommandError(ErrorCodes.InvalidNamespace, "'$documents' can only be run with {aggregate: 1}")
    return evaluateDocuments(context, stage.$documents)
  }
  if ('$listLocalSessions' in stage) {
    return context.engine.sessions.all().map(session => ({ _id: { ...session.lsid, uid: new Binary(Buffer.alloc(32)) }, lastUse: new Date(session.lastUsed) }))
  }
  if ('$currentOp' in stage) {
    if (name !== undefined || context.db !== 'admin') throw new CommandError(ErrorCodes.InvalidNamespace, "$currentOp must be run against the 'admin' database with {aggregate: 1}")
    return context.engine.operations.describe()
  }
  if ('$collStats' in stage) return [collectionStats(context, name, stage.$collStats)]
  if ('$indexStats' in stage) return indexStats(context, name)
  return undefined
}

/** The literal or computed list of `$documents`. */
function evaluateDocuments (context: CommandContext, expression: unknown): Document[] {
  const [result] = runPipeline([{}], [{ $project: { _id: 0, list: expression } }], pipelineOptions(context, {}))
  const list = result?.list
  if (!Array.isArray(list) || !list.every(isPlainDocument)) throw new CommandError(5858203, 'error during aggregation :: caused by :: an array is expected')
  return list
}

function requireCollection (context: CommandContext, name: string | undefined): NonNullable<ReturnType<typeof findCollection>> {
  const collection = name === undefined ? undefined : findCollection(context, name)
  if (collection === undefined) throw new CommandError(ErrorCodes.NamespaceNotFound, `Collection [${context.db}.${name ?? ''}] not found.`)
  return collection
}

function collectionStats (context: CommandContext, name: string | undefined, options: unknown): Document {
  const collection = requireCollection(context, name)
  const stats: Document = { ns: collection.namespace, host: context.server.address, localTime: new Date() }
  if (!isPlainDocument(options)) throw new CommandError(ErrorCodes.TypeMismatch, '$collStats must take a nested object')
  if ('count' in options) stats.count = new Int32(collection.count)
  if ('storageStats' in options) stats.storageStats = storageStats(context, collection)
  return stats
}

export function storageStats (context: CommandContext, collection: ReturnType<typeof requireCollection>): Document {
  return {
    size: Long.fromNumber(collection.bytes),
    count: new Int32(collection.count),
    avgObjSize: collection.count === 0 ? new Int32(0) : new Int32(Math.round(collection.bytes / collection.count)),
    storageSize: Long.fromNumber(collection.bytes),
    nindexes: new Int32(collection.indexes.length),
    capped: collection.isCapped,
    ...(collection.isCapped ? { max: collection.options.max ?? new Int32(0), maxSize: collection.options.size } : {}),
    totalIndexSize: Long.ZERO
  }
}

function indexStats (context: CommandContext, name: string | undefined): Document[] {
  return requireCollection(context, name).indexes.map(index => ({
    name: index.name, key: index.spec.key, host: context.server.address, spec: index.spec, accesses: { ops: Long.ZERO, since: new Date(context.engine.startedAt) }
  }))
}
