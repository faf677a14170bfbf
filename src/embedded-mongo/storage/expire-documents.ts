import { asNumber, isPlainDocument } from '../arguments.js'
import type { Document } from '../semantics/index.js'
import type { Engine } from '../engine.js'
import { Interrupt } from '../interrupt.js'
import { ClaimedByTransaction } from '../sessions/claims.js'
import { deleteDocument } from '../writes/apply.js'
import { DocumentReader } from '../query/read-documents.js'
import type { Collection } from './collection.js'
import type { IndexDefinition } from './index-definition.js'
import { readRecord } from './records.js'

/** Documents removed in one commit. */
const CHUNK = 500

/** Removes the documents whose time is over, by a TTL index or by an option of their clustered or time series collection. */
export async function expireDocuments (engine: Engine, now = Date.now()): Promise<void> {
  for (const collection of engine.catalog.all()) {
    for (const index of collection.indexes) {
      if (index.expireAfterSeconds !== undefined && index.ready && index.paths.length === 1) await expireByIndex(engine, collection, index, now)
    }
    const seconds = asNumber(collection.options.expireAfterSeconds)
    if (seconds !== undefined) await expireWhere(engine, collection, { [timeField(collection)]: { $lt: new Date(now - seconds * 1000) } })
  }
}

async function expireByIndex (engine: Engine, collection: Collection, index: IndexDefinition, now: number): Promise<void> {
  const [path] = index.paths
  const limit = new Date(now - index.expireAfterSeconds! * 1000)
  await expireWhere(engine, collection, { $and: [{ [path!]: { $lt: limit } }, index.partialFilter ?? {}] }, index.hidden ? undefined : index.name)
}

/** The field that tells the age of a document: the time of a time series, else the key of a clustered collection. */
function timeField ({ options: { timeseries } }: Collection): string {
  return isPlainDocument(timeseries) && typeof timeseries.timeField === 'string' ? timeseries.timeField : '_id'
}

/** More documents than this are removed without a copy in the journal first. */
const MANY = 200

async function expireWhere (engine: Engine, collection: Collection, filter: Document, hint?: string): Promise<void> {
  const reader = new DocumentReader(engine.view, collection, { filter, hint })
  const interrupt = new Interrupt()
  while (!reader.isDone && !collection.dropped) {
    const expired = await reader.next(CHUNK, interrupt)
    if (expired.length === 0) continue
    await engine.commit(unit => {
      if (collection.dropped) return
      for (const candidate of expired) {
        const current = readRecord(unit.view, collection, candidate.recordId)
        // What changed since it was read is looked at again in the next round.
        if (current?.raw.equals(candidate.raw) !== true) continue
        try {
          deleteDocument(unit, collection, current)
        } catch (error) {
          // A transaction holds the document: the next round is soon enough.
          if (!(error instanceof ClaimedByTransaction)) throw error
        }
      }
    }, expired.length > MANY)
  }
}
