import { Long } from 'bson'
import { CommandError, failedToParse } from '../../errors.js'
import { compileExpression } from '../../expression/compile.js'
import { splitFieldPath, valueAtPath, withValueAt } from '../../expression/field-path.js'
import { onDocument } from '../../expression/scope.js'
import { compileFilter } from '../../match/compile.js'
import { parsePath } from '../../paths/walk.js'
import type { Document } from '../../types.js'
import { toInteger } from '../../values/numbers.js'
import { isDocument, isNumeric, typeNameOf } from '../../values/types.js'
import { scopeOf, type StageFactory } from '../context.js'
import { groupKey } from './group.js'
import { matchableValues, parseFrom } from './lookup.js'

const keys = ['from', 'startWith', 'connectFromField', 'connectToField', 'as', 'maxDepth', 'depthField', 'restrictSearchWithMatch']

/** `$graphLookup`: follows references from document to document, breadth first, each document once. */
export const graphLookupStage: StageFactory = (spec, context) => {
  if (!isDocument(spec)) throw failedToParse(`the $graphLookup stage specification must be an object, but found ${typeNameOf(spec)}`)
  for (const key of Object.keys(spec)) if (!keys.includes(key)) throw new CommandError(40104, `unknown argument to $graphLookup: ${key}`)
  for (const key of ['from', 'startWith', 'connectFromField', 'connectToField', 'as']) {
    if (!(key in spec)) throw new CommandError(40105, `$graphLookup requires '${key}' to be specified`)
  }
  const { collation } = context.options
  const maxDepth = spec.maxDepth === undefined ? Infinity : depthOf(spec.maxDepth)
  const depthField = spec.depthField === undefined ? undefined : splitFieldPath(String(spec.depthField))
  const restrict = spec.restrictSearchWithMatch === undefined ? undefined : compileFilter(filterOf(spec.restrictSearchWithMatch), { collation, now: context.now, cells: context.cells })
  const from = parseFrom(spec.from)
  const connectFrom = splitFieldPath(String(spec.connectFromField))
  const connectTo = parsePath(String(spec.connectToField))
  const target = splitFieldPath(String(spec.as))
  const scope = scopeOf(context)
  const start = onDocument(compileExpression(spec.startWith, scope), scope)
  return function * (input) {
    const table = new Map<string, Document[]>()
    for (const doc of context.options.resolveCollection(from)) {
      if (restrict?.(doc) === false) continue
      for (const value of matchableValues(doc, connectTo)) {
        const key = groupKey(value ?? null, collation)
        const bucket = table.get(key) ?? []
        if (bucket.at(-1) !== doc) bucket.push(doc)
        table.set(key, bucket)
      }
    }
    for (const doc of input) {
      const found = search(table, start(doc), { connectFrom, maxDepth, key: value => groupKey(value ?? null, collation) })
      yield withValueAt(doc, target, [...found].map(([other, depth]) => depthField === undefined ? other : withValueAt(other, depthField, Long.fromNumber(depth))))
    }
  }
}

function depthOf (value: unknown): number {
  if (!isNumeric(value)) throw new CommandError(40100, `maxDepth must be numeric, found type: ${typeNameOf(value)}`)
  const depth = toInteger(value)
  if (depth === undefined) throw new CommandError(40102, 'maxDepth could not be represented as a long long')
  if (depth < 0) throw new CommandError(40101, `maxDepth requires a nonnegative argument, found: ${depth}`)
  return depth
}

function filterOf (value: unknown): Document {
  if (!isDocument(value)) throw new CommandError(40185, `restrictSearchWithMatch must be an object, found ${typeNameOf(value)}`)
  return value
}

interface Search { connectFrom: string[], maxDepth: number, key: (value: unknown) => string }

function search (table: Map<string, Document[]>, start: unknown, { connectFrom, maxDepth, key }: Search): Map<Document, number> {
  const found = new Map<Document, number>()
  const visited = new Set<string>()
  let frontier: unknown[] = Array.isArray(start) ? start : [start]
  for (let depth = 0; depth <= maxDepth && frontier.length > 0; depth++) {
    const next: unknown[] = []
    for (const value of frontier) {
      const text = key(value)
      if (visited.has(text)) continue
      visited.add(text)
      for (const doc of table.get(text) ?? []) {
        if (found.has(doc)) continue
        found.set(doc, depth)
        const links = valueAtPath(doc, connectFrom)
        // A missing link leads nowhere; null is a value as any other.
        if (links !== undefined) next.push(...Array.isArray(links) ? links as unknown[] : [links])
      }
    }
    frontier = next
  }
  return found
}
