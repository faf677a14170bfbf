import { asNumber } from '../arguments.js'
import { collectionScan } from '../planner/choose-plan.js'
import { Scanner } from '../planner/scanner.js'
import { CommandError, ErrorCodes } from '../semantics/index.js'
import type { Collection } from '../storage/collection.js'
import { deleteRecord } from '../storage/records.js'
import type { WriteUnit } from '../storage/write-unit.js'

/** @throws CommandError 2 for a document that alone is larger than a capped collection may be */
export function assertFitsCapped ({ isCapped, options }: Collection, raw: Buffer): void {
  if (isCapped && raw.length > (asNumber(options.size) ?? Infinity)) throw new CommandError(ErrorCodes.BadValue, 'object to insert exceeds cappedMaxSize')
}

/** Removes the oldest documents of a capped collection until it fits its limits again. As in MongoDB no change stream tells of it. */
export function trimCapped (unit: WriteUnit, collection: Collection): void {
  const size = asNumber(collection.options.size) ?? Infinity
  const max = asNumber(collection.options.max) ?? Infinity
  if (collection.bytes <= size && collection.count <= max) return
  const scanner = new Scanner(unit.view, collection, collectionScan(collection), undefined)
  while (collection.count > 1 && (collection.bytes > size || collection.count > max)) {
    const oldest = scanner.first()
    if (oldest === undefined) return
    deleteRecord(unit, collection, oldest)
  }
}
