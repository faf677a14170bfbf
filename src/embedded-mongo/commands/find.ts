import { asNumber, optionalBoolean, optionalDocument, optionalInteger } from '../arguments.js'
import { CommandError, ErrorCodes, compileProjection, type Document } from '../semantics/index.js'
import { negativeSize, openCursor, toLong } from '../query/cursor-reply.js'
import { DocumentReader, filterOptions, type Query } from '../query/read-documents.js'
import { FindSource, IterableSource } from '../query/sources.js'
import { TailableSource } from '../query/tailable-source.js'
import type { Collection } from '../storage/collection.js'
import { collationOf, collectionName, findCollection, viewOf, type CommandContext, type Handler, type Reply } from './context.js'
import { aggregateView } from './aggregate.js'

export const find: Handler = async context => {
  const name = collectionName(context)
  const { body } = context
  const namespace = `${context.db}.${name}`
  const limit = optionalInteger(body, 'limit') ?? 0
  const batchSize = optionalInteger(body, 'batchSize')
  if (batchSize !== undefined && batchSize < 0) throw negativeSize(batchSize)
  const skip = optionalInteger(body, 'skip') ?? 0
  if (skip < 0) throw new CommandError(51024, `BSON field 'skip' value must be >= 0, actual value '${skip}'`)
  if (limit < 0) throw new CommandError(51024, `BSON field 'limit' value must be >= 0, actual value '${limit}'`)
  refuseUnsupported(body)
  const collection = findCollection(context, name)
  if (collection?.isView === true) return await findInView(context, batchSize)
  const query = readQuery(body, collationOf(body, collection))
  const project = compileFindProjection(body, query)
  const tail = readTail(context, collection)
  if (collection === undefined) {
    // Compiled all the same, so that mistakes are told.
    new DocumentReader(viewOf(context), context.engine.catalog.placeholder(context.db, name), query).all()
    return await openCursor(context, new IterableSource([]), { namespace })
  }
  if (tail !== undefined) {
    return await openCursor(context, new TailableSource(context.engine, collection, { query, project, awaits: tail.awaits }), { namespace, size: batchSize, noTimeout: true, collection })
  }
  const reader = new DocumentReader(viewOf(context), collection, query)
  const size = optionalBoolean(body, 'singleBatch') === true && batchSize === undefined && limit > 0 ? limit : batchSize
  return await openCursor(context, new FindSource(reader, project), {
    namespace, size, collection, single: optionalBoolean(body, 'singleBatch') === true, noTimeout: optionalBoolean(body, 'noCursorTimeout') === true
  })
}

/** The options of a tailable cursor, if it is one. @throws CommandError 2, 9, 72 */
function readTail ({ body, transaction }: CommandContext, collection: Collection | undefined): { awaits: boolean } | undefined {
  const awaits = optionalBoolean(body, 'awaitData') ?? false
  if (optionalBoolean(body, 'tailable') !== true) {
    if (awaits) throw new CommandError(ErrorCodes.FailedToParse, "Cannot set 'awaitData' without also setting 'tailable'")
    return undefined
  }
  const sort = optionalDocument(body, 'sort') ?? {}
  if (Object.keys(sort).some(path => path !== '$natural' || asNumber(sort[path]) !== 1)) {
    throw new CommandError(ErrorCodes.BadValue, 'cannot use tailable option with a sort other than {$natural: 1}')
  }
  if (optionalBoolean(body, 'singleBatch') === true) throw new CommandError(ErrorCodes.BadValue, "cannot use tailable option with the 'singleBatch' option")
  if (transaction !== undefined) throw new CommandError(ErrorCodes.InvalidOptions, 'tailable cursors are not supported in a transaction')
  if (collection?.isCapped === false) {
    throw new CommandError(ErrorCodes.BadValue, `error processing query: ns=${collection.namespace} :: caused by :: tailable cursor requested on non capped collection`)
  }
  return { awaits }
}

/** Options that would change the result, and are not served. @throws CommandError 115 */
function refuseUnsupported (body: Document): void {
  for (const option of ['min', 'max', 'returnKey', 'showRecordId']) {
    const isGiven = option === 'min' || option === 'max' ? !isEmpty(body[option]) : optionalBoolean(body, option) === true
    if (isGiven) throw new CommandError(ErrorCodes.CommandNotSupported, `the find option '${option}' is not supported`)
  }
}

/** The arguments that find, explain and others share. */
export function readQuery (body: Document, collation: Query['collation']): Query {
  const limit = optionalInteger(body, 'limit')
  return {
    filter: optionalDocument(body, 'filter') ?? {},
    sort: optionalDocument(body, 'sort'),
    skip: optionalInteger(body, 'skip'),
    limit: limit === undefined ? undefined : Math.abs(limit),
    hint: body.hint,
    collation,
    let: optionalDocument(body, 'let')
  }
}

function compileFindProjection (body: Document, query: Query): ((doc: Document) => Document) | undefined {
  const projection = optionalDocument(body, 'projection')
  if (projection === undefined || Object.keys(projection).length === 0) return undefined
  return compileProjection(projection, { ...filterOptions(query), filter: query.filter })
}

async function findInView (context: CommandContext, batchSize: number | undefined): Promise<Reply> {
  const { body } = context
  const pipeline: Document[] = [{ $match: optionalDocument(body, 'filter') ?? {} }]
  const add = (stage: string, value: unknown): void => { if (value !== undefined) pipeline.push({ [stage]: value }) }
  add('$sort', isEmpty(body.sort) ? undefined : body.sort)
  add('$skip', optionalInteger(body, 'skip') === 0 ? undefined : body.skip)
  add('$limit', (optionalInteger(body, 'limit') ?? 0) === 0 ? undefined : body.limit)
  add('$project', isEmpty(body.projection) ? undefined : body.projection)
  return await aggregateView(context, pipeline, batchSize)
}

function isEmpty (value: unknown): boolean {
  return value === undefined || value === null || Object.keys(value).length === 0
}

export const getMore: Handler = async context => {
  const { engine, body, interrupt } = context
  const id = toLong(body.getMore)
  const name = body.collection
  if (typeof name !== 'string') throw new CommandError(ErrorCodes.TypeMismatch, "BSON field 'getMore.collection' is missing or not a string")
  const size = optionalInteger(body, 'batchSize')
  if (size !== undefined && size < 0) throw negativeSize(size)
  const namespace = `${context.db}.${name}`
  const cursor = engine.cursors.get(id, namespace)
  if (cursor.transaction !== context.transaction && cursor.transaction !== undefined) {
    throw new CommandError(50738, `Cannot run getMore on cursor ${id.toString()}, which was created in a transaction, in a different or no transaction`)
  }
  if (cursor.session !== undefined && cursor.session !== context.session?.name) {
    throw new CommandError(50738, `Cannot run getMore on cursor ${id.toString()}, which was created in another session`)
  }
  if (cursor.isBusy) throw new CommandError(12051, `Cursor already in use (id: ${id.toString()})`)
  const waitMS = optionalInteger(body, 'maxTimeMS')
  if (waitMS !== undefined && cursor.source.awaits !== true) throw new CommandError(ErrorCodes.BadValue, 'cannot set maxTimeMS on getMore command for a non-awaitData cursor')
  if (cursor.collection?.dropped === true) {
    engine.cursors.close(id)
    throw new CommandError(ErrorCodes.QueryPlanKilled, `collection dropped: ${namespace}`)
  }
  cursor.isBusy = true
  interrupt.limit(cursor.remainingMS)
  try {
    const batch = await cursor.source.next({ size: size === 0 ? undefined : size, interrupt, waitMS })
    const stillOpen = engine.cursors.has(id)
    if (batch.done) engine.cursors.close(id)
    return {
      fields: {},
      cursor: { field: 'nextBatch', documents: batch.documents, rest: { ...batch.extra, id: batch.done || !stillOpen ? toLong(0) : id, ns: namespace } }
    }
  } catch (error) {
    engine.cursors.close(id)
    throw error
  } finally {
    cursor.isBusy = false
    if (cursor.source.isTimed === true) cursor.remainingMS = interrupt.remaining
    cursor.lastUsed = Date.now()
  }
}

export const killCursors: Handler = context => {
  const { cursors } = context.body
  if (!Array.isArray(cursors)) throw new CommandError(ErrorCodes.TypeMismatch, "BSON field 'killCursors.cursors' is missing or not an array")
  const ids = cursors.map(toLong)
  const killed = ids.filter(id => context.engine.cursors.close(id))
  return { fields: { cursorsKilled: killed, cursorsNotFound: ids.filter(id => !killed.includes(id)), cursorsAlive: [], cursorsUnknown: [] } }
}
