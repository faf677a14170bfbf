import { CommandError } from '../../errors.js'
import { parseSort, sortKey, type SortPart } from '../../sort.js'
import type { Collation, Document } from '../../types.js'
import { compareValues } from '../../values/compare.js'
import { isDocument } from '../../values/types.js'
import { interruptible, type StageFactory } from '../context.js'

interface Entry { doc: Document, keys: unknown[] }

function comparator (parts: SortPart[], collation: Collation | undefined): (a: Entry, b: Entry) => number {
  return (a, b) => {
    for (let i = 0; i < parts.length; i++) {
      const order = compareValues(a.keys[i], b.keys[i], collation)
      if (order !== 0) return order * (parts[i]?.direction ?? 1)
    }
    return 0
  }
}

/**
 * Sorts documents, each key read once; with a limit only the first ones are kept while sorting.
 * Documents that compare equal keep their order.
 */
export function sortDocuments (input: Iterable<Document>, sort: Document, collation: Collation | undefined, limit = Infinity): Document[] {
  const parts = parseSort(sort)
  const compare = comparator(parts, collation)
  let entries: Entry[] = []
  for (const doc of input) {
    entries.push({ doc, keys: parts.map(({ path, direction }) => sortKey(doc, path, direction)) })
    if (entries.length > 2 * limit + 1000) entries = entries.sort(compare).slice(0, limit)
  }
  entries.sort(compare)
  if (entries.length > limit) entries.length = limit
  return entries.map(entry => entry.doc)
}

export const sortStage: StageFactory = (spec, context) => {
  if (!isDocument(spec)) throw new CommandError(15973, 'the $sort key specification must be an object')
  if (Object.keys(spec).length === 0) throw new CommandError(15976, '$sort stage must have at least one sort key')
  parseSort(spec)
  return function * (input) {
    yield * sortDocuments(interruptible(input, context), spec, context.options.collation)
  }
}
