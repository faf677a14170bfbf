import { Int32, Long } from 'bson'
import { SLICE_MS, type Interrupt } from '../interrupt.js'
import { collectionScan } from '../planner/choose-plan.js'
import { Scanner } from '../planner/scanner.js'
import { CommandError, ErrorCodes, type Document } from '../semantics/index.js'
import type { Collection } from '../storage/collection.js'
import type { IndexDefinition } from '../storage/index-definition.js'
import { indexKeys } from '../storage/index-entries.js'
import { decodeRecordId, entryKey, idPrefix, prefixEnd } from '../storage/keys.js'
import { StoreView, type ReadView } from '../storage/view.js'
import { collectionName, findCollection, type Handler } from './context.js'

interface IndexCheck { index: IndexDefinition, expected: number, missing: number }

/** Reads every document of one moment and compares the entries of its indexes with those that should be there. Nothing is repaired. */
export const validate: Handler = async context => {
  const { engine, interrupt, body } = context
  const name = collectionName(context)
  const collection = findCollection(context, name)
  if (collection === undefined) throw new CommandError(ErrorCodes.NamespaceNotFound, `Collection '${context.db}.${name}' does not exist to validate.`)
  if (collection.isView) throw new CommandError(ErrorCodes.CommandNotSupportedOnView, 'Cannot validate a view')
  if (body.repair === true) throw new CommandError(ErrorCodes.CommandNotSupported, "validate's 'repair' is not supported")
  const snapshot = engine.state.openSnapshot()
  try {
    return { fields: await checkCollection(new StoreView(engine.state.environment, { snapshot }), collection, interrupt) }
  } finally {
    snapshot.done()
  }
}

async function checkCollection (view: ReadView, collection: Collection, interrupt: Interrupt): Promise<Document> {
  const errors: string[] = []
  const checks = collection.indexes.filter(({ ready }) => ready).map((index): IndexCheck => ({ index, expected: 0, missing: 0 }))
  let records = 0
  let invalid = 0
  const scanner = new Scanner(view, collection, collectionScan(collection), undefined)
  while (!scanner.done) {
    for (const stored of scanner.step({ documents: 1_000, milliseconds: SLICE_MS })) {
      records++
      try {
        for (const check of checks) checkEntries(view, collection, check, stored.recordId, stored.doc)
      } catch (error) {
        if (!(error instanceof CommandError)) throw error
        invalid++
        errors.push(`record ${stored.recordId}: ${error.message}`)
      }
    }
    await interrupt.yield()
  }
  const indexDetails: Document = {}
  const keysPerIndex: Document = {}
  for (const { index, expected, missing } of checks) {
    const prefix = idPrefix(index.id)
    const found = view.count('entries', { lower: prefix, upper: prefixEnd(prefix) })
    const extra = found - (expected - missing)
    if (missing > 0) errors.push(`index ${index.name} lacks ${missing} entries`)
    if (extra > 0) errors.push(`index ${index.name} has ${extra} entries too many`)
    indexDetails[index.name] = { valid: missing === 0 && extra === 0, spec: index.spec }
    keysPerIndex[index.name] = Long.fromNumber(found)
  }
  return {
    ns: collection.namespace,
    nInvalidDocuments: Long.fromNumber(invalid),
    nrecords: Long.fromNumber(records),
    nIndexes: new Int32(checks.length),
    keysPerIndex,
    indexDetails,
    valid: errors.length === 0,
    repaired: false,
    warnings: [],
    errors
  }
}

function checkEntries (view: ReadView, collection: Collection, check: IndexCheck, recordId: number, doc: Document): void {
  const { index } = check
  for (const encoded of indexKeys(undefined, collection, index, doc)) {
    check.expected++
    const value = view.get('entries', entryKey(index.id, encoded, index.unique ? undefined : recordId))
    if (value === undefined || decodeRecordId(value) !== recordId) check.missing++
  }
}
