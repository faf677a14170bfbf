import type { RollupModel, RollupRecord } from '../../models/rollup.js'
import { duplicateKeyFields } from '../../models/store-errors.js'
import { nameOfStored, storedName } from '../signal-fields.js'
import { encodeColumn, readColumn } from './column.js'
import type { Columns } from './summary.js'
import { summaryAt } from './summary.js'

/** A chunk as it was read, and what is to be stored instead; no columns remove it. */
export interface ChunkWrite {
  id: string
  /** Epoch milliseconds of the chunk's start. */
  start: number
  before: RollupRecord | undefined
  columns: Columns
  expiresAt: number
  rolled?: NonNullable<RollupRecord['rolled']>
  /** When positions go; 0 when they go with the rest. */
  positionUntil: number
}

/** Chunks of buckets as documents. */
export function createChunkStore (rollups: RollupModel) {
  const collection = rollups.collection

  const toDocument = ({ id, start, before, columns, expiresAt, rolled, positionUntil }: ChunkWrite): RollupRecord => ({
    _id: id,
    version: (before?.version ?? 0) + 1,
    signals: Object.fromEntries([...columns].filter(([, column]) => column.size > 0).map(([name, column]) => [storedName(name), encodeColumn(column, start)])),
    ...(rolled && { rolled }),
    expiresAt: new Date(expiresAt),
    ...(positionUntil > 0 && { positionUntil: new Date(positionUntil) })
  })

  const toOperations = (write: ChunkWrite): object[] => {
    const { id, before } = write
    const document = toDocument(write)
    const isEmpty = Object.keys(document.signals).length === 0
    if (!before) return isEmpty ? [] : [{ insertOne: { document } }]
    const filter = { _id: id, version: before.version }
    return isEmpty ? [{ deleteOne: { filter } }] : [{ replaceOne: { filter, replacement: document } }]
  }

  return {
    /** Chunks by id. */
    async read (ids: string[]): Promise<Map<string, RollupRecord>> {
      const found = await collection.find({ _id: { $in: ids as never[] } }, { promoteBuffers: true }).toArray() as unknown as RollupRecord[]
      return new Map(found.map((record) => [record._id, record]))
    },

    /**
     * Stores chunks where they are still as they were read.
     * @returns false when another was quicker with any: what was read is out of date
     */
    async write (writes: ChunkWrite[]): Promise<boolean> {
      const operations = writes.flatMap(toOperations)
      if (operations.length === 0) return true
      try {
        const { insertedCount, matchedCount, deletedCount } = await collection.bulkWrite(operations as never, { ordered: false })
        return insertedCount + matchedCount + deletedCount === operations.length
      } catch (error) {
        if (!duplicateKeyFields(error)) throw error
        return false
      }
    },

    async remove (ids: string[]): Promise<void> {
      await collection.deleteMany({ _id: { $in: ids as never[] } })
    }
  }
}

export type ChunkStore = ReturnType<typeof createChunkStore>

/** Buckets of a stored chunk, without those of places that `skip` names. */
export function chunkColumns (record: RollupRecord | undefined, start: number, skip: (place: number) => boolean): Columns {
  const columns: Columns = new Map()
  for (const [stored, column] of Object.entries(record?.signals ?? {})) {
    const name = nameOfStored(stored)
    readColumn(column, start, (place, summary) => {
      if (!skip(place)) Object.assign(summaryAt(columns, name, place), summary)
    })
  }
  return columns
}
