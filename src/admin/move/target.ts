import type { mongo } from 'mongoose'
import { AdminError } from '../admin-error.js'
import { listCollections, listDatabases, listIndexes, type CollectionSpec } from './catalogue.js'
import { codeOf, connectTo, explainDriverError, isMissing, rawSequence } from './driver.js'
import { formatNamespace, PROGRESS_COLLECTION, type Namespace } from './namespace.js'
import { documentElement, joinElements, type RawElement } from './raw-document.js'
import { readBatches } from './source.js'

const DUPLICATE_KEY = 11000
const INDEX_NOT_FOUND = 27

/** From MongoDB 8.0 on, a timestamp of zero can be stored as it is: otherwise the server puts the time there. */
const KEEPS_ZERO_TIMESTAMPS = 25

const WRITE_CONCERN = { w: 'majority' }

/** What a collection without a validator has; the names are those of all options about it. */
export const VALIDATION_DEFAULTS = { validator: {}, validationLevel: 'strict', validationAction: 'error' }

interface WriteReply { writeErrors?: Array<{ index: number, code: number, errmsg: string, keyPattern?: object }>, writeConcernError?: { errmsg: string } }

/** The MongoDB that is moved to. Pitwall's database gets the name that the address asks for; others keep theirs. */
export class Target {
  private readonly client: mongo.MongoClient
  private readonly databases: { from: string, to: string }
  private readonly wireVersion: number
  /** False for a standalone, which has no change streams. */
  readonly isReplicaSet: boolean

  private constructor (client: mongo.MongoClient, databases: { from: string, to: string }, hello: mongo.BSON.Document) {
    this.client = client
    this.databases = databases
    this.wireVersion = Number(hello.maxWireVersion)
    this.isReplicaSet = hello.setName !== undefined || hello.msg === 'isdbgrid'
  }

  static async connect (uri: string, databases: { from: string, to: string }): Promise<Target> {
    const client = await connectTo('target', uri)
    try {
      return new Target(client, databases, await client.db('admin').command({ hello: 1 }))
    } catch (error) {
      await client.close()
      throw explainDriverError('target', error)
    }
  }

  async close (): Promise<void> {
    await this.client.close()
  }

  /** Where the move's own progress is kept. */
  get progress (): mongo.Collection<mongo.BSON.Document> {
    return this.client.db(this.databases.to).collection(PROGRESS_COLLECTION, { writeConcern: { w: 'majority' } })
  }

  /** Where a collection of the source goes. */
  placeOf ({ db, name }: Namespace): Namespace {
    return { db: db === this.databases.from ? this.databases.to : db, name }
  }

  /** @throws AdminError if there is anything already in a database that is moved */
  async requireEmpty (sourceDatabases: Iterable<string>): Promise<void> {
    await this.try(async () => {
      const present = new Set(await listDatabases(this.client))
      const wanted = new Map([...sourceDatabases].map(db => [db, this.placeOf({ db, name: '' }).db]))
      if (new Set(wanted.values()).size < wanted.size) throw new AdminError(`target: the source has a database ${this.databases.to} besides ${this.databases.from}; name another in --to`)
      for (const db of wanted.values()) {
        if (!present.has(db)) continue
        const [first] = await listCollections(this.client, db)
        if (first !== undefined) throw new AdminError(`target: the database ${db} is not empty (it has the collection ${first.name}); drop it, or name another in --to`)
      }
    })
  }

  /** True if there is a collection or view where one of the source would go. */
  async has (namespace: Namespace): Promise<boolean> {
    const { db, name } = this.placeOf(namespace)
    return await this.try(async () => await this.client.db(db).listCollections({ name }, { nameOnly: true }).hasNext())
  }

  /** Makes an empty collection, or a view; one that is there is dropped. */
  async create (spec: CollectionSpec): Promise<void> {
    await this.drop(spec)
    const { db, name } = this.placeOf(spec)
    await this.command(db, { create: name, ...spec.options, writeConcern: WRITE_CONCERN })
  }

  async drop (namespace: Namespace): Promise<void> {
    const { db, name } = this.placeOf(namespace)
    try {
      await this.command(db, { drop: name, writeConcern: WRITE_CONCERN })
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }

  /** Changes a collection's validator from what `before` says to what `after` says. */
  async changeValidation (namespace: Namespace, before: mongo.BSON.Document, after: mongo.BSON.Document): Promise<void> {
    const { db, name } = this.placeOf(namespace)
    const changed = Object.entries(VALIDATION_DEFAULTS).filter(([option]) => option in before || option in after)
    const options = changed.map(([option, none]) => [option, after[option] ?? none])
    await this.command(db, { collMod: name, ...Object.fromEntries(options), writeConcern: WRITE_CONCERN })
  }

  /** Adds documents; one whose `_id` is there already is left as it is. @throws AdminError */
  async addMissing (namespace: Namespace, documents: Buffer[]): Promise<void> {
    const failed = await this.insert(namespace, documents)
    const other = failed.find(({ keyPattern }) => !isIdPattern(keyPattern))
    if (other !== undefined) throw new AdminError(`target: ${formatNamespace(this.placeOf(namespace))}: ${other.errmsg}`)
  }

  /**
   * Makes the documents of the ids be those given, or nothing. An index that says two documents are the same, since
   * they are not of the same moment, is dropped: it is built again when they are.
   */
  async replace (namespace: Namespace, ids: RawElement[], documents: Buffer[]): Promise<void> {
    const { db, name } = this.placeOf(namespace)
    const limit = Buffer.from([0x10, ...Buffer.from('limit\0'), 1, 0, 0, 0])
    const deletes = ids.map(({ bytes }) => joinElements(documentElement('q', joinElements(bytes)), limit))
    this.check(namespace, await this.command(db, { delete: name, deletes: rawSequence('deletes', deletes), ordered: false, writeConcern: WRITE_CONCERN }) as WriteReply)
    const failed = await this.insert(namespace, documents)
    if (failed.length === 0) return
    for (const index of await this.indexes(namespace)) if (index.unique === true) await this.dropIndex(namespace, index.name as string)
    await this.addMissing(namespace, failed.map(({ index }) => documents[index]!))
  }

  async indexes (namespace: Namespace): Promise<mongo.BSON.Document[]> {
    return await this.try(() => listIndexes(this.client, this.placeOf(namespace)))
  }

  /** Builds an index. @returns false if documents are in the way of a unique one */
  async createIndex (namespace: Namespace, spec: mongo.BSON.Document): Promise<boolean> {
    const { db, name } = this.placeOf(namespace)
    const { ns: _ns, background: _background, ...index } = spec
    try {
      await this.command(db, { createIndexes: name, indexes: [index], writeConcern: WRITE_CONCERN })
      return true
    } catch (error) {
      if (codeOf(error) === DUPLICATE_KEY) return false
      throw error
    }
  }

  async dropIndex (namespace: Namespace, index: string): Promise<void> {
    const { db, name } = this.placeOf(namespace)
    try {
      await this.command(db, { dropIndexes: name, index, writeConcern: WRITE_CONCERN })
    } catch (error) {
      if (codeOf(error) !== INDEX_NOT_FOUND) throw error
    }
  }

  /** All documents in the order in which they are stored. */
  async * readAll (namespace: Namespace): AsyncGenerator<Buffer[]> {
    const { db, name } = this.placeOf(namespace)
    yield * readBatches('target', this.client.db(db).collection(name))
  }

  /** Runs something of the move's own on the target, telling failures in one line. */
  async try<T> (task: () => Promise<T>): Promise<T> {
    try {
      return await task()
    } catch (error) {
      throw explainDriverError('target', error)
    }
  }

  /** @returns the documents that a unique index refused, by their place in the list */
  private async insert (namespace: Namespace, documents: Buffer[]): Promise<NonNullable<WriteReply['writeErrors']>> {
    if (documents.length === 0) return []
    const { db, name } = this.placeOf(namespace)
    const zeroTimestamps = this.wireVersion >= KEEPS_ZERO_TIMESTAMPS ? { bypassEmptyTsReplacement: true } : {}
    const reply = await this.command(db, {
      insert: name, documents: rawSequence('documents', documents), ordered: false, bypassDocumentValidation: true, ...zeroTimestamps, writeConcern: WRITE_CONCERN
    }) as WriteReply
    return this.check(namespace, reply, DUPLICATE_KEY)
  }

  /** The write errors of a code that is expected. @throws AdminError for any other */
  private check (namespace: Namespace, { writeErrors = [], writeConcernError }: WriteReply, expected?: number): NonNullable<WriteReply['writeErrors']> {
    const error = writeErrors.find(({ code }) => code !== expected) ?? writeConcernError
    if (error !== undefined) throw new AdminError(`target: ${formatNamespace(this.placeOf(namespace))}: ${error.errmsg}`)
    return writeErrors
  }

  private async command (db: string, command: mongo.BSON.Document): Promise<mongo.BSON.Document> {
    return await this.try(() => this.client.db(db).command(command))
  }
}

const isIdPattern = (pattern: object | undefined): boolean => pattern !== undefined && Object.keys(pattern).join() === '_id'
