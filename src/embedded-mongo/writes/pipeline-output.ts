import { randomUUID } from 'node:crypto'
import { asNumber, isPlainDocument } from '../arguments.js'
import type { CommandContext } from '../commands/context.js'
import type { BatchSource } from '../query/cursors.js'
import { CommandError, ErrorCodes, deserializeDocument, type Document } from '../semantics/index.js'
import { defineIndex } from '../storage/index-definition.js'
import { commandOperation } from '../storage/oplog.js'
import { createCollection, dropCollection } from './collections.js'
import { insertDocument } from './apply.js'
import { mergeDocuments, readMerge } from './merge-documents.js'
import { prepareDocument } from './prepare-document.js'

/** Documents written in one commit. */
const CHUNK = 500

/** Sends a pipeline's results where its `$out` or `$merge` says. */
export async function writeOutput (context: CommandContext, stage: Document, results: BatchSource): Promise<void> {
  if (context.transaction !== undefined) throw new CommandError(ErrorCodes.OperationNotSupportedInTransaction, `${Object.keys(stage)[0]} is not supported in a transaction`)
  if ('$merge' in stage) {
    const merge = readMerge(context, stage.$merge)
    await eachChunk(context, results, async documents => { await mergeDocuments(context, merge, documents) })
  } else await replaceCollection(context, stage.$out, results)
}

async function eachChunk (context: CommandContext, results: BatchSource, write: (documents: Document[]) => Promise<void>): Promise<void> {
  for (let done = false; !done;) {
    const batch = await results.next({ size: CHUNK, interrupt: context.interrupt })
    if (batch.documents.length > 0) await write(batch.documents.map(raw => deserializeDocument(raw)))
    done = batch.done
  }
}

/** `$out`: fills a collection beside the target and puts it in its place, indexes and options kept. */
async function replaceCollection (context: CommandContext, spec: unknown, results: BatchSource): Promise<void> {
  const { db, coll } = readTarget(context, spec)
  const { engine } = context
  const existing = engine.catalog.get(db, coll)
  if (existing?.isView === true) throw new CommandError(ErrorCodes.CommandNotSupportedOnView, `Namespace ${db}.${coll} is a view, not a collection`)
  const filled = await engine.commit(unit => {
    const collection = createCollection(engine, unit, db, `tmp.agg_out.${randomUUID()}`, existing?.options ?? {})
    for (const { spec } of existing?.indexes.slice(1) ?? []) {
      collection.indexes = [...collection.indexes, defineIndex({ id: engine.catalog.takeId(), spec, multikey: false, longKeys: false, ready: true })]
    }
    engine.catalog.save(unit.view, collection)
    return collection
  })
  try {
    await eachChunk(context, results, async documents => {
      await engine.commit(unit => { for (const doc of documents) insertDocument(unit, filled, prepareDocument(doc, engine.oplog.clock), false) })
    })
    await engine.commit(unit => {
      const target = engine.catalog.get(db, coll)
      if (target !== undefined) dropCollection(engine, unit, target)
      const from = filled.name
      engine.catalog.rename(unit.view, filled, db, coll)
      unit.log(commandOperation(db, from, filled.uuid, { rename: true, to: { db, coll } }))
    })
  } catch (error) {
    await engine.commit(unit => { dropCollection(engine, unit, filled) })
    throw error
  }
}

function readTarget (context: CommandContext, spec: unknown): { db: string, coll: string } {
  if (typeof spec === 'string') return { db: context.db, coll: spec }
  if (isPlainDocument(spec) && typeof spec.coll === 'string') return { db: typeof spec.db === 'string' ? spec.db : context.db, coll: spec.coll }
  throw new CommandError(16990, `$out only supports a string or object argument, but found ${asNumber(spec) === undefined ? typeof spec : 'number'}`)
}
