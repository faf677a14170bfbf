import type { Engine } from '../engine.js'
import type { Interrupt } from '../interrupt.js'
import { CommandError, ErrorCodes } from '../semantics/index.js'
import { collectionScan } from '../planner/choose-plan.js'
import { Scanner } from '../planner/scanner.js'
import type { Collection } from './collection.js'
import type { IndexDefinition } from './index-definition.js'
import { indexRecord } from './records.js'
import type { WriteUnit } from './write-unit.js'

/** How long one commit adds entries, in milliseconds. */
const COMMIT_MS = 20

/**
 * Adds the entries of the documents that were there before the index, a slice a commit; writers keep the index
 * up to date meanwhile, and queries use it when it is complete. If a document cannot be indexed, all indexes of
 * the same request are taken back.
 */
export async function buildIndex (engine: Engine, collection: Collection, index: IndexDefinition, request: IndexDefinition[], interrupt: Interrupt): Promise<void> {
  try {
    let scanner: Scanner | undefined
    while (!index.ready) {
      await engine.commit(unit => {
        if (collection.dropped || !collection.indexes.includes(index)) throw new CommandError(ErrorCodes.IndexBuildAborted, `Index build aborted: index ${index.name} of ${collection.namespace} was dropped`)
        scanner ??= new Scanner(unit.view, collection, collectionScan(collection), undefined)
        const deadline = performance.now() + COMMIT_MS
        while (!scanner.done && performance.now() < deadline) {
          for (const stored of scanner.step({ documents: 100, milliseconds: COMMIT_MS })) indexRecord(unit, collection, index, stored)
        }
        if (!scanner.done) return
        index.ready = true
        index.readyAt = performance.now()
        collection.version++
        engine.catalog.save(unit.view, collection)
      }, true)
      await interrupt.yield()
    }
  } catch (error) {
    // The record of a dropped collection must not come back.
    await engine.commit(unit => { if (!collection.dropped) forgetIndex(engine, unit, collection, request) })
    throw error
  }
}

/** Indexes the documents of a collection that the unit alone knows, at once. */
export function indexExisting (unit: WriteUnit, collection: Collection, index: IndexDefinition): void {
  const scanner = new Scanner(unit.view, collection, collectionScan(collection), undefined)
  for (const stored of scanner.all()) indexRecord(unit, collection, index, stored)
}

/** Removes indexes from a collection; their entries are erased in the background. */
export function forgetIndex (engine: Engine, unit: WriteUnit, collection: Collection, indexes: IndexDefinition[]): void {
  collection.indexes = collection.indexes.filter(index => !indexes.includes(index))
  collection.version++
  engine.catalog.save(unit.view, collection)
  for (const index of indexes) engine.catalog.eraseLater(unit.view, 'entries', index.id)
}
