import { BSON, MongoClient, type Document } from 'mongodb'

/** Everything an application can see in a store: documents as bytes by `_id`'s bytes, options and indexes by collection. */
export async function readContents (uri: string): Promise<Record<string, Document>> {
  const client = await new MongoClient(uri).connect()
  try {
    const contents: Record<string, Document> = {}
    const { databases } = await client.db('admin').admin().listDatabases()
    for (const { name: db } of databases) {
      for (const { name, type, options } of await client.db(db).listCollections({}, { nameOnly: false }).toArray() as Array<{ name: string, type?: string, options?: Document }>) {
        const collection = client.db(db).collection(name)
        const documents = await collection.find({}, { raw: true }).toArray() as unknown as Uint8Array[]
        const indexes = type === 'view' ? [] : (await collection.indexes()).sort((a, b) => a.name! < b.name! ? -1 : 1)
        contents[`${db}.${name}`] = { type, options, indexes: indexes.map(index => BSON.EJSON.stringify(index)), documents: documents.map(bytes => Buffer.from(bytes).toString('hex')).sort() }
      }
    }
    return contents
  } finally {
    await client.close()
  }
}
