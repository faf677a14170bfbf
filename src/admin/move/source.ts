import type { mongo } from 'mongoose'
import { AdminError } from '../admin-error.js'
import { listCollections, listDatabases, listIndexes, type CollectionSpec } from './catalogue.js'
import { ChangeLog, type LogPosition } from './change-log.js'
import { connectTo, explainDriverError } from './driver.js'
import type { Namespace } from './namespace.js'
import { asBuffer, exactValue, findElement, type RawElement } from './raw-document.js'

/** Documents read at a time. */
export const CHUNK = 1_000

/** The store that is moved away from. Documents are bytes throughout. */
export class Source {
  private readonly client: mongo.MongoClient

  private constructor (client: mongo.MongoClient) {
    this.client = client
  }

  static async connect (uri: string): Promise<Source> {
    return new Source(await connectTo('source', uri))
  }

  async close (): Promise<void> {
    await this.client.close()
  }

  /** The time of its latest change: what is read from now on includes that change. @throws AdminError for a standalone */
  async now (): Promise<mongo.BSON.Timestamp> {
    const { operationTime } = await this.try(() => this.client.db('admin').command({ ping: 1 }))
    if (operationTime === undefined) throw new AdminError('source: it is no replica set, and so does not tell what changes during the move')
    return operationTime as mongo.BSON.Timestamp
  }

  /** Every collection and view that is to be moved. */
  async catalogue (): Promise<CollectionSpec[]> {
    return await this.try(async () => {
      const specs: CollectionSpec[] = []
      for (const db of await listDatabases(this.client)) specs.push(...await listCollections(this.client, db))
      return specs
    })
  }

  async indexes (namespace: Namespace): Promise<mongo.BSON.Document[]> {
    return await this.try(() => listIndexes(this.client, namespace))
  }

  /** Documents in a collection, by its counter. */
  async count (namespace: Namespace): Promise<number> {
    return await this.try(() => this.collection(namespace).estimatedDocumentCount())
  }

  /**
   * The next documents in the order of `_id`, as they are now; empty at the end. `$gt` alone stays among values of one
   * type, so that where those end the rest is looked for by an expression, which knows the order of all types.
   */
  async readAfter (namespace: Namespace, last: RawElement | undefined): Promise<Buffer[]> {
    if (last === undefined) return await this.readChunk(namespace, {})
    const documents = await this.readChunk(namespace, { _id: { $gt: exactValue(last) } })
    if (documents.length > 0 || await this.isLast(namespace, last)) return documents
    return await this.readChunk(namespace, { $expr: { $gt: ['$_id', { $literal: exactValue(last) }] } })
  }

  /** Those of the documents that are there, as they are now. */
  async readByIds (namespace: Namespace, ids: RawElement[]): Promise<Buffer[]> {
    return await this.try(async () => {
      const found = await this.collection(namespace).find({ _id: { $in: ids.map(exactValue) } } as mongo.Filter<mongo.BSON.Document>, { raw: true }).toArray()
      return (found as unknown as Uint8Array[]).map(asBuffer)
    })
  }

  /** All documents in the order in which they are stored. */
  async * readAll (namespace: Namespace): AsyncGenerator<Buffer[]> {
    yield * readBatches('source', this.collection(namespace))
  }

  /** Opens the log of changes to all databases. */
  async followFrom (position: LogPosition): Promise<ChangeLog> {
    return await ChangeLog.open(this.client, position)
  }

  private collection ({ db, name }: Namespace): mongo.Collection {
    return this.client.db(db).collection(name)
  }

  private async readChunk (namespace: Namespace, filter: object): Promise<Buffer[]> {
    return await this.try(async () => {
      // One batch, read in one go: a cursor kept open could hand out documents older than changes already followed.
      const cursor = this.collection(namespace).find(filter, { raw: true, sort: { _id: 1 }, limit: CHUNK, singleBatch: true })
      return (await cursor.toArray() as unknown as Uint8Array[]).map(asBuffer)
    })
  }

  private async isLast (namespace: Namespace, last: RawElement): Promise<boolean> {
    return await this.try(async () => {
      const [document] = await this.collection(namespace).find({}, { raw: true, sort: { _id: -1 }, limit: 1, projection: { _id: 1 } }).toArray() as unknown as Uint8Array[]
      return document === undefined || findElement(asBuffer(document), '_id')?.bytes.equals(last.bytes) === true
    })
  }

  private async try<T> (task: () => Promise<T>): Promise<T> {
    try {
      return await task()
    } catch (error) {
      throw explainDriverError('source', error)
    }
  }
}

/** Reads a whole collection as bytes, a batch at a time. */
export async function * readBatches (side: 'source' | 'target', collection: mongo.Collection): AsyncGenerator<Buffer[]> {
  const cursor = collection.find({}, { raw: true, batchSize: CHUNK }) as unknown as mongo.FindCursor<Uint8Array>
  try {
    for (;;) {
      const first = await cursor.next()
      if (first === null) return
      yield [first, ...cursor.readBufferedDocuments()].map(asBuffer)
    }
  } catch (error) {
    throw explainDriverError(side, error)
  } finally {
    await cursor.close()
  }
}
