import type { Connection } from 'mongoose'
import { watchSteps } from '../start-progress.js'
import { obsoleteSampleIndexes } from './sample.js'

const obsolete: Record<string, readonly string[]> = { Sample: obsoleteSampleIndexes }
const NAMESPACE_NOT_FOUND = 26
const INDEX_NOT_FOUND = 27

/**
 * Makes the indexes that the models declare, with one command a collection, and drops those of earlier versions; others
 * stay as they are. A new index over many documents takes minutes: `say` tells of it meanwhile.
 */
export async function createIndexes (connection: Connection, say: (line: string) => void = () => {}): Promise<void> {
  await Promise.all(connection.modelNames().map(async (name) => {
    const { collection, schema } = connection.model(name)
    for (const index of obsolete[name] ?? []) {
      await collection.dropIndex(index).catch((error: { code?: unknown }) => {
        if (error.code !== INDEX_NOT_FOUND && error.code !== NAMESPACE_NOT_FOUND) throw error
      })
    }
    const indexes = schema.indexes().map(([key, options]) => ({ ...options, key }))
    if (indexes.length === 0) return
    const progress = watchSteps(say)
    progress.enter(`making the indexes of ${collection.collectionName}`)
    try {
      await collection.createIndexes(indexes as Parameters<typeof collection.createIndexes>[0])
    } finally {
      progress.end()
    }
  }))
}
