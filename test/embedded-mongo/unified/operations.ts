import {
  ChangeStream, ClientSession, Collection, Db, type FindCursor, GridFSBucket, MongoClient, AbstractCursor, type RunCommandCursor,
  type AnyBulkWriteOperation, type AnyClientBulkWriteModel, type Document, type ObjectId, type TransactionOptions
} from 'mongodb'
import type { Entities } from './entities.js'
import { runTestRunner } from './test-runner-operations.js'
import { NotJudged, type Operation } from './types.js'

type Args = Document

/** The driver opens a stream with its first read, which waits this long for an event. */
const SHORT_WAITS = { maxAwaitTimeMS: 20 }

/** Calls the driver method that an operation names and gives its result. */
export async function runOperation (entities: Entities, operation: Operation, runNested: (operations: Operation[]) => Promise<void>): Promise<unknown> {
  const args = resolveSession(entities, operation.arguments ?? {})
  if (operation.object === 'testRunner') return await runTestRunner(entities, operation.name, args)
  const object = entities.values.get(operation.object)
  if (object instanceof Collection) return await onCollection(entities, object, operation.name, args)
  if (object instanceof Db) return await onDatabase(entities, object, operation.name, args)
  if (object instanceof ClientSession) return await onSession(object, operation.name, args, runNested)
  if (object instanceof GridFSBucket) return await onBucket(object, operation.name, args)
  if (object instanceof MongoClient) return await onClient(object, operation.name, args)
  if (object instanceof ChangeStream || object instanceof AbstractCursor) return await onCursor(object, operation.name)
  throw new NotJudged(`operations on ${operation.object}`)
}

function resolveSession (entities: Entities, args: Args): Args {
  return typeof args.session === 'string' ? { ...args, session: entities.get(args.session, ClientSession) } : args
}

function lowerCased (args: Args): Args {
  return typeof args.returnDocument === 'string' ? { ...args, returnDocument: args.returnDocument.toLowerCase() } : args
}

async function onCollection (entities: Entities, collection: Collection, name: string, all: Args): Promise<unknown> {
  const { filter = {}, update, replacement, document, documents, pipeline, requests, fieldName, keys, to, models, ...options } = lowerCased(all)
  switch (name) {
    case 'insertOne': return await collection.insertOne(document as Document, options)
    case 'insertMany': return await collection.insertMany(documents as Document[], options)
    case 'updateOne': return await collection.updateOne(filter as Document, update as Document, options)
    case 'updateMany': return await collection.updateMany(filter as Document, update as Document, options)
    case 'replaceOne': return await collection.replaceOne(filter as Document, replacement as Document, options)
    case 'deleteOne': return await collection.deleteOne(filter as Document, options)
    case 'deleteMany': return await collection.deleteMany(filter as Document, options)
    case 'bulkWrite': return await collection.bulkWrite(requests as AnyBulkWriteOperation[], options)
    case 'find': return await collection.find(filter as Document, options).toArray()
    case 'findOne': return await collection.findOne(filter as Document, options)
    case 'findOneAndUpdate': return await collection.findOneAndUpdate(filter as Document, update as Document, options)
    case 'findOneAndReplace': return await collection.findOneAndReplace(filter as Document, replacement as Document, options)
    case 'findOneAndDelete': return await collection.findOneAndDelete(filter as Document, options)
    case 'aggregate': return await collection.aggregate(pipeline as Document[], options).toArray()
    case 'countDocuments': return await collection.countDocuments(filter as Document, options)
    case 'estimatedDocumentCount': return await collection.estimatedDocumentCount(options)
    case 'count': return await collection.count(filter as Document, options)
    case 'distinct': return await collection.distinct(fieldName as string, filter as Document, options)
    case 'createIndex': return await collection.createIndex(keys as Document, options)
    case 'dropIndex': return await collection.dropIndex(options.name as string, options)
    case 'dropIndexes': return await collection.dropIndexes(options)
    case 'listIndexes': return await collection.listIndexes(options).toArray()
    case 'rename': return await collection.rename(to as string, options)
    case 'createChangeStream': return await openStream(collection.watch(pipeline as Document[], { ...SHORT_WAITS, ...options }))
    case 'createFindCursor': return await openCursor(collection.find(filter as Document, options))
    default: throw new NotJudged(`the Node driver has no collection method ${name}`)
  }
}

async function onDatabase (entities: Entities, db: Db, name: string, all: Args): Promise<unknown> {
  const { collection, command, commandName, pipeline, filter = {}, ...options } = all
  switch (name) {
    case 'createCollection': return await db.createCollection(collection as string, pipeline === undefined ? options : { ...options, pipeline: pipeline as Document[] })
    case 'dropCollection': return await db.dropCollection(collection as string, options)
    case 'listCollections': return await db.listCollections(filter as Document, options).toArray()
    case 'listCollectionNames': return await db.listCollections(filter as Document, { ...options, nameOnly: true }).toArray()
    case 'aggregate': return await db.aggregate(pipeline as Document[], options).toArray()
    case 'runCommand': return await db.command(command as Document, options)
    case 'modifyCollection': return await db.command({ collMod: collection, ...options })
    case 'createChangeStream': return await openStream(db.watch(pipeline as Document[], { ...SHORT_WAITS, ...options }))
    case 'runCursorCommand': return await commandCursor(db, command as Document, options).toArray()
    case 'createCommandCursor': return await openCursor(commandCursor(db, command as Document, options))
    default: throw new NotJudged(`the Node driver has no database method ${name}`)
  }
}

function commandCursor (db: Db, command: Document, { batchSize, ...options }: Args): RunCommandCursor {
  const cursor = db.runCursorCommand(command, options)
  return typeof batchSize === 'number' ? cursor.setBatchSize(batchSize) : cursor
}

async function onClient (client: MongoClient, name: string, all: Args): Promise<unknown> {
  const { filter = {}, pipeline, models, ...options } = all
  switch (name) {
    case 'listDatabases': return (await client.db('admin').admin().listDatabases({ filter: filter as Document, ...options })).databases
    case 'createChangeStream': return await openStream(client.watch(pipeline as Document[], { ...SHORT_WAITS, ...options }))
    case 'clientBulkWrite': {
      const named = (models as Document[]).map(model => {
        const [kind, fields] = Object.entries(model)[0] as [string, Document]
        return { name: kind, ...fields } as unknown as AnyClientBulkWriteModel<Document>
      })
      return await client.bulkWrite(named, options)
    }
    case 'close': return await client.close()
    default: throw new NotJudged(`the Node driver has no client method ${name}`)
  }
}

async function onSession (session: ClientSession, name: string, args: Args, runNested: (operations: Operation[]) => Promise<void>): Promise<unknown> {
  const { callback, ...options } = args
  switch (name) {
    case 'startTransaction': return session.startTransaction(options as TransactionOptions)
    case 'commitTransaction': return await session.commitTransaction(options)
    case 'abortTransaction': return await session.abortTransaction()
    case 'endSession': return await session.endSession()
    case 'getSnapshotTime': return (session as unknown as { snapshotTime: unknown }).snapshotTime
    case 'withTransaction': return await session.withTransaction(async () => { await runNested(callback as Operation[]) }, options as TransactionOptions)
    default: throw new NotJudged(`the Node driver has no session method ${name}`)
  }
}

async function onBucket (bucket: GridFSBucket, name: string, args: Args): Promise<unknown> {
  switch (name) {
    case 'delete': return await bucket.delete(args.id as ObjectId)
    case 'rename': return await bucket.rename(args.id as ObjectId, args.newFilename as string)
    case 'download': {
      const chunks: Buffer[] = []
      for await (const chunk of bucket.openDownloadStream(args.id as ObjectId)) chunks.push(chunk as Buffer)
      return Buffer.concat(chunks)
    }
    case 'upload': {
      const { filename, source, disableMD5, ...options } = args as { filename: string, source: { $$hexBytes: string }, disableMD5?: boolean }
      const stream = bucket.openUploadStream(filename, options)
      await new Promise<void>((resolve, reject) => {
        stream.once('finish', () => { resolve() })
        stream.once('error', reject)
        stream.end(Buffer.from(source.$$hexBytes, 'hex'))
      })
      return stream.id
    }
    default: throw new NotJudged(`the Node driver has no bucket method ${name}`)
  }
}

async function onCursor (cursor: ChangeStream | AbstractCursor, name: string): Promise<unknown> {
  switch (name) {
    case 'iterateUntilDocumentOrError': return await cursor.next()
    case 'iterateOnce': return await cursor.tryNext()
    case 'close': return await cursor.close()
    default: throw new NotJudged(`the Node driver has no cursor method ${name}`)
  }
}

/** Makes the driver open the stream now; an event that was there already is kept for the next read. */
async function openStream (stream: ChangeStream): Promise<ChangeStream> {
  let early: Document | null = await stream.tryNext()
  if (early === null) return stream
  const next = stream.next.bind(stream)
  stream.next = async () => {
    const document = early ?? await next()
    early = null
    return document as never
  }
  return stream
}

async function openCursor<Cursor extends FindCursor | RunCommandCursor> (cursor: Cursor): Promise<Cursor> {
  await cursor.hasNext()
  return cursor
}
