import { Long } from 'bson'
import { CommandError, failedToParse } from '../../errors.js'
import { compileExpression } from '../../expression/compile.js'
import { splitFieldPath, valueAtPath, withValueAt } from '../../expression/field-path.js'
import { onDocument } from '../../expression/scope.js'
import { compileFilter } from '../../match/compile.js'
import type { Document } from '../../types.js'
import { toInteger } from '../../values/numbers.js'
import { isDocument, isNumeric, typeNameOf } from '../../values/types.js'
import { scopeOf, type StageFactory } from '../context.js'
import { PAUSE, type Pause } from '../flow.js'
import { EqualityJoin } from './equality-join.js'
import { groupKey } from './group.js'
import { parseFrom } from './lookup.js'

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
  const target = splitFieldPath(String(spec.as))
  const scope = scopeOf(context)
  const start = onDocument(compileExpression(spec.startWith, scope), scope)
  return function * (input) {
    const join = new EqualityJoin(from, String(spec.connectToField), context, restrict)
    const key = (value: unknown): string => groupKey(value ?? null, collation)
    for (const doc of input) {
      if (doc === PAUSE) {
        yield PAUSE
        continue
      }
      const found = yield * search(join, start(doc), { connectFrom, maxDepth, key })
      if (context.pace.isOver()) yield PAUSE
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

/** The documents reached and how far they are, in the order they are reached; each once. */
function * search (join: EqualityJoin, start: unknown, { connectFrom, maxDepth, key }: Search): Generator<Pause, Map<Document, number>> {
  const found = new Map<Document, number>()
  const ids = new Set<unknown>()
  const visited = new Set<string>()
  let frontier: unknown[] = Array.isArray(start) ? start : [start]
  for (let depth = 0; depth <= maxDepth && frontier.length > 0; depth++) {
    const next: unknown[] = []
    for (const value of frontier) {
      const text = key(value)
      if (visited.has(text)) continue
      visited.add(text)
      for (const doc of yield * join.find([value ?? null])) {
        // An index gives a new object for each reading of a document.
        const id = doc._id === undefined ? doc : groupKey(doc._id, undefined)
        if (ids.has(id)) continue
        ids.add(id)
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
