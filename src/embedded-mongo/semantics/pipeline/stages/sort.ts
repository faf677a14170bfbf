import { CommandError } from '../../errors.js'
import { parseSort } from '../../sort.js'
import { orderOf, Sorter } from '../../sorter.js'
import type { Document } from '../../types.js'
import { isDocument } from '../../values/types.js'
import type { StageContext, StageFactory } from '../context.js'
import { PAUSE, type Item } from '../flow.js'

/** Sorts documents; with a limit only the first ones are kept. Documents that compare equal keep their order. */
export function * sortDocuments (input: Iterable<Item>, sort: Document, { options, pace }: Pick<StageContext, 'options' | 'pace'>, limit = Infinity): Generator<Item> {
  const sorter = new Sorter<Document, Document>(orderOf(sort, options.collation), limit)
  for (const item of input) {
    if (item === PAUSE) yield PAUSE
    else sorter.add(item, item)
  }
  sorter.finish()
  for (let doc = sorter.next(); doc !== undefined; doc = sorter.next()) {
    if (pace.isOver()) yield PAUSE
    yield doc
  }
}

export const sortStage: StageFactory = (spec, context) => {
  if (!isDocument(spec)) throw new CommandError(15973, 'the $sort key specification must be an object')
  if (Object.keys(spec).length === 0) throw new CommandError(15976, '$sort stage must have at least one sort key')
  parseSort(spec)
  return input => sortDocuments(input, spec, context, context.wanted)
}
