import type { Connection } from 'mongoose'

/** Makes the indexes that the models declare, with one command a collection; those that are there stay as they are. */
export async function createIndexes (connection: Connection): Promise<void> {
  await Promise.all(connection.modelNames().map(async (name) => {
    const { collection, schema } = connection.model(name)
    const indexes = schema.indexes().map(([key, options]) => ({ ...options, key }))
    if (indexes.length > 0) await collection.createIndexes(indexes as Parameters<typeof collection.createIndexes>[0])
  }))
}
