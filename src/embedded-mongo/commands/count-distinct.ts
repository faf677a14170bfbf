import { Int32, Long } from 'bson'
import { optionalDocument, requiredString } from '../arguments.js'
import { countMatching } from '../query/count-documents.js'
import { DistinctScan } from '../query/distinct-scan.js'
import { DocumentReader } from '../query/read-documents.js'
import { CommandError, ErrorCodes, deserializeDocument, encodeKey, type Document } from '../semantics/index.js'
import { collationOf, collectionName, findCollection, viewOf, type CommandContext, type Handler } from './context.js'
import { openPipeline } from './aggregate.js'
import { readQuery } from './find.js'
import { distinctValues } from '../query/distinct-values.js'

export const count: Handler = async context => {
  if (context.transaction !== undefined) {
    throw new CommandError(ErrorCodes.OperationNotSupportedInTransaction, "Cannot run 'count' in a multi-document transaction.")
  }
  const name = collectionName(context)
  const collection = findCollection(context, name)
  const query = readQuery({ ...context.body, filter: context.body.query }, collationOf(context.body, collection))
  if (collection === undefined) return { fields: { n: new Int32(0) } }
  if (collection.isView) {
    const documents = await readAll(context, name, [{ $match: query.filter }])
    const left = Math.max(0, documents.length - (query.skip ?? 0))
    return { fields: { n: new Int32(query.limit === undefined || query.limit === 0 ? left : Math.min(left, query.limit)) } }
  }
  const n = await countMatching(viewOf(context), collection, query, context.interrupt)
  return { fields: { n: n > 0x7FFFFFFF ? Long.fromNumber(n) : new Int32(n) } }
}

export const distinct: Handler = async context => {
  const name = collectionName(context)
  const key = requiredString(context.body, 'key')
  const collection = findCollection(context, name)
  const collation = collationOf(context.body, collection)
  const values = new Map<string, unknown>()
  const add = (doc: Document): void => {
    for (const value of distinctValues(doc, key.split('.'))) {
      const encoded = encodeKey(value, collation).toString('latin1')
      if (!values.has(encoded)) values.set(encoded, value)
    }
  }
  const filter = optionalDocument(context.body, 'query') ?? {}
  if (collection?.isView === true) (await readAll(context, name, [{ $match: filter }])).forEach(add)
  else if (collection !== undefined) {
    const query = { filter, collation, hint: context.body.hint }
    const reader = new DocumentReader(viewOf(context), collection, query)
    const scan = DistinctScan.open(viewOf(context), collection, key, query)
    if (scan !== undefined) await scan.run(add, context.interrupt)
    else while (!reader.isDone) for (const stored of await reader.next(1_000, context.interrupt)) add(stored.doc)
  }
  return { fields: { values: [...values].sort(([a], [b]) => a < b ? -1 : 1).map(([, value]) => value) } }
}

async function readAll (context: CommandContext, name: string, stages: Document[]): Promise<Document[]> {
  const source = await openPipeline(context, name, stages)
  const documents: Document[] = []
  for (let done = false; !done;) {
    const batch = await source.next({ size: undefined, interrupt: context.interrupt })
    for (const raw of batch.documents) documents.push(deserializeDocument(raw))
    done = batch.done
  }
  return documents
}
