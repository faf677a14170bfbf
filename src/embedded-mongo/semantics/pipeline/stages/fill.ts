import { CommandError, failedToParse } from '../../errors.js'
import { compileExpression } from '../../expression/compile.js'
import { splitFieldPath, valueAtPath, withValueAt } from '../../expression/field-path.js'
import { onDocument } from '../../expression/scope.js'
import type { Document } from '../../types.js'
import { isDocument, typeNameOf } from '../../values/types.js'
import { scopeOf, type StageFactory } from '../context.js'
import { PAUSE } from '../flow.js'
import { partitioner } from './window.js'
import { compileWindowFunction, type WindowFunction } from './window-functions.js'

interface Filling { path: string[], value?: (doc: Document) => unknown, column?: WindowFunction }

/** `$fill`: replaces null and missing by a value, by the last one seen (`locf`) or by interpolation (`linear`). */
export const fillStage: StageFactory = (spec, context) => {
  if (!isDocument(spec)) throw failedToParse(`The argument to $fill must be an object, but found type: ${typeNameOf(spec)}`)
  const { partitionBy, partitionByFields, sortBy, output } = spec
  if (partitionBy !== undefined && partitionByFields !== undefined) throw new CommandError(6050204, 'Maximum one of partitionBy and partitionByFields can be specified in $fill')
  if (!isDocument(output)) throw new CommandError(40414, "BSON field '$fill.output' is missing but a required field")
  const order = isDocument(sortBy) ? sortBy : undefined
  const fillings = Object.entries(output).map(([name, how]): Filling => {
    const path = splitFieldPath(name)
    if (!isDocument(how)) throw failedToParse(`Each output of $fill must be an object: ${name}`)
    if ('value' in how) {
      const scope = scopeOf(context)
      return { path, value: onDocument(compileExpression(how.value, scope), scope) }
    }
    if (how.method !== 'locf' && how.method !== 'linear') throw new CommandError(6050202, 'Method must be either locf or linear')
    if (how.method === 'linear' && order === undefined) throw new CommandError(605001, '$linearFill must be specified with a top level sortBy expression with exactly one element')
    return { path, column: compileWindowFunction({ [how.method === 'locf' ? '$locf' : '$linearFill']: `$${name}` }, order, context) }
  })
  const key = Array.isArray(partitionByFields) ? Object.fromEntries(partitionByFields.map((name, index) => [`p${index}`, `$${String(name)}`])) : partitionBy
  const partition = partitioner(key, order, context)
  return function * (input) {
    for (const documents of partition(input)) {
      if (documents === PAUSE) {
        yield PAUSE
        continue
      }
      const columns: Array<unknown[] | undefined> = []
      for (const { column } of fillings) columns.push(column === undefined ? undefined : yield * column(documents))
      for (let i = 0; i < documents.length; i++) {
        if (context.pace.isOver()) yield PAUSE
        yield fillDocument(documents[i] ?? {}, fillings, columns, i)
      }
    }
  }
}

function fillDocument (doc: Document, fillings: Filling[], columns: Array<unknown[] | undefined>, row: number): Document {
  let filled = doc
  fillings.forEach(({ path, value }, index) => {
    const present = valueAtPath(doc, path)
    if (present !== null && present !== undefined) return
    filled = withValueAt(filled, path, value === undefined ? columns[index]?.[row] ?? null : value(doc) ?? null)
  })
  return filled
}
