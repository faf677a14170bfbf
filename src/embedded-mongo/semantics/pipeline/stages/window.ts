import { CommandError, failedToParse } from '../../errors.js'
import { compileExpression } from '../../expression/compile.js'
import { splitFieldPath, withValueAt } from '../../expression/field-path.js'
import { onDocument } from '../../expression/scope.js'
import { parseSort } from '../../sort.js'
import type { Document } from '../../types.js'
import { compareValues } from '../../values/compare.js'
import { isDocument, typeNameOf } from '../../values/types.js'
import { scopeOf, type StageContext, type StageFactory } from '../context.js'
import { collect, paced, PAUSE, type Item, type Pause } from '../flow.js'
import { groupKey } from './group.js'
import { sortDocuments } from './sort.js'
import { compileWindowFunction, type WindowFunction } from './window-functions.js'

interface Output { path: string[], compute: WindowFunction }

/** `$setWindowFields`: fields computed over each document's neighbours within its partition. */
export const setWindowFieldsStage: StageFactory = (spec, context) => {
  if (!isDocument(spec)) throw failedToParse(`the $setWindowFields stage specification must be an object, found ${typeNameOf(spec)}`)
  for (const key of Object.keys(spec)) {
    if (!['partitionBy', 'sortBy', 'output'].includes(key)) throw new CommandError(40415, `BSON field '$setWindowFields.${key}' is an unknown field.`)
  }
  if (!isDocument(spec.output)) throw new CommandError(40414, "BSON field '$setWindowFields.output' is missing but a required field")
  const sortBy = spec.sortBy === undefined ? undefined : sortSpec(spec.sortBy)
  const outputs = Object.entries(spec.output).map(([name, value]): Output => ({ path: splitFieldPath(name), compute: compileWindowFunction(value, sortBy, context) }))
  const partition = partitioner(spec.partitionBy, sortBy, context)
  return function * (input) {
    for (const documents of partition(input)) {
      if (documents === PAUSE) {
        yield PAUSE
        continue
      }
      const columns: unknown[][] = []
      for (const { compute } of outputs) columns.push(yield * compute(documents))
      for (let i = 0; i < documents.length; i++) {
        if (context.pace.isOver()) yield PAUSE
        let doc = documents[i] ?? {}
        outputs.forEach(({ path }, column) => { doc = withValueAt(doc, path, columns[column]?.[i] ?? null) })
        yield doc
      }
    }
  }
}

function sortSpec (value: unknown): Document {
  if (!isDocument(value)) throw new CommandError(14, "BSON field '$setWindowFields.sortBy' is the wrong type, expected type 'object'")
  parseSort(value)
  return value
}

/** Splits documents by the value of an expression; partitions in the order of their values, each sorted. */
export function partitioner (partitionBy: unknown, sortBy: Document | undefined, context: StageContext): (input: Iterable<Item>) => Iterable<Document[] | Pause> {
  const scope = scopeOf(context)
  const { collation } = context.options
  const key = partitionBy === undefined ? undefined : onDocument(compileExpression(partitionBy, scope), scope)
  return function * (input) {
    const partitions = new Map<string, { value: unknown, documents: Document[] }>()
    for (const doc of input) {
      if (doc === PAUSE) {
        yield PAUSE
        continue
      }
      const value = key === undefined ? null : key(doc) ?? null
      if (Array.isArray(value)) throw new CommandError(14, 'An expression used to partition cannot evaluate to value of type array')
      const text = groupKey(value, collation)
      const present = partitions.get(text)
      if (present === undefined) partitions.set(text, { value, documents: [doc] })
      else present.documents.push(doc)
    }
    for (const { documents } of [...partitions.values()].sort((a, b) => compareValues(a.value, b.value, collation))) {
      yield sortBy === undefined ? documents : yield * collect(sortDocuments(paced(documents, context.pace), sortBy, context))
    }
  }
}
