import { ClientSession, Collection, Db, GridFSBucket, MongoClient, type ClientSessionOptions, type CollectionOptions, type Document, type MongoClientOptions } from 'mongodb'
import { NotJudged } from './types.js'

/** The named objects of one case: clients, databases, collections, sessions, buckets, and results saved. */
export class Entities {
  readonly values = new Map<string, unknown>()
  /** lsid of each command by client, when a case asks to compare them. */
  readonly lsids = new Map<string, unknown[]>()
  private readonly uri: string
  private readonly clients: MongoClient[] = []

  constructor (uri: string) {
    this.uri = uri
  }

  async create (specs: Document[]): Promise<void> {
    for (const spec of specs) {
      const [kind, fields] = Object.entries(spec)[0] as [string, Document]
      this.values.set(fields.id as string, await this.make(kind, fields))
    }
  }

  get<Kind> (name: string, kind: abstract new (...args: never[]) => Kind): Kind {
    const value = this.values.get(name)
    if (!(value instanceof kind)) throw new Error(`entity ${name} is not a ${kind.name}`)
    return value
  }

  async close (): Promise<void> {
    for (const value of this.values.values()) {
      if (value instanceof ClientSession) await value.endSession().catch(() => {})
      if (hasClose(value) && !(value instanceof MongoClient)) await value.close().catch(() => {})
    }
    await Promise.all(this.clients.map(async client => { await client.close() }))
  }

  private async make (kind: string, fields: Document): Promise<unknown> {
    switch (kind) {
      case 'client': return await this.connect(fields)
      case 'database': return this.get(fields.client as string, MongoClient).db(fields.databaseName as string, fields.databaseOptions as Document)
      case 'collection': return this.get(fields.database as string, Db).collection(fields.collectionName as string, fields.collectionOptions as CollectionOptions)
      case 'session': return this.startSession(fields)
      case 'bucket': return new GridFSBucket(this.get(fields.database as string, Db), fields.bucketOptions as Document)
      default: throw new NotJudged(`entities of kind ${kind}`)
    }
  }

  /** The driver has no option for a snapshot time, only the field it keeps it in. */
  private startSession (fields: Document): ClientSession {
    const { snapshotTime, ...options } = (fields.sessionOptions ?? {}) as Document
    const session = this.get(fields.client as string, MongoClient).startSession(options as ClientSessionOptions)
    if (typeof snapshotTime === 'string') Object.assign(session, { snapshotTime: this.values.get(snapshotTime) })
    return session
  }

  private async connect (fields: Document): Promise<MongoClient> {
    const options: MongoClientOptions = { ...fields.uriOptions as MongoClientOptions, serverSelectionTimeoutMS: 3_000, monitorCommands: true }
    if (fields.serverApi !== undefined) options.serverApi = fields.serverApi as NonNullable<MongoClientOptions['serverApi']>
    const client = new MongoClient(this.uri, options)
    const lsids: unknown[] = []
    client.on('commandStarted', event => { lsids.push((event.command as Document).lsid) })
    this.lsids.set(fields.id as string, lsids)
    this.clients.push(client)
    return await client.connect()
  }
}

function hasClose (value: unknown): value is { close: () => Promise<unknown> } {
  return typeof value === 'object' && value !== null && 'close' in value && typeof value.close === 'function' && !(value instanceof Collection)
}
