import { badValue, CommandError, failedToParse } from '../../errors.js'
import { compileExpression } from '../../expression/compile.js'
import { splitFieldPath, withValueAt } from '../../expression/field-path.js'
import { assertVariableName } from '../../expression/operators/logic.js'
import { onDocument } from '../../expression/scope.js'
import { anyValue, parsePath, type Path } from '../../paths/walk.js'
import type { CollectionReference, Document } from '../../types.js'
import { equalValues } from '../../values/compare.js'
import { isDocument, typeNameOf } from '../../values/types.js'
import { scopeOf, type Stage, type StageContext, type StageFactory } from '../context.js'
import { compilePipeline } from '../run.js'
import { groupKey } from './group.js'

const options = ['from', 'as', 'localField', 'foreignField', 'let', 'pipeline', '_internalUnwind']

/**
 * `$lookup`: equality of two fields, a pipeline, or both. Equality follows queries: arrays match by element on
 * either side, null matches missing.
 */
export const lookupStage: StageFactory = (spec, context) => {
  if (!isDocument(spec)) throw failedToParse(`the $lookup stage specification must be an object, but found ${typeNameOf(spec)}`)
  for (const key of Object.keys(spec)) if (!options.includes(key)) throw failedToParse(`unknown argument to $lookup: ${key}`)
  const { as, localField, foreignField } = spec
  if (typeof as !== 'string') throw failedToParse("must specify 'as' field for a $lookup")
  const from = spec.from === undefined && Array.isArray(spec.pipeline) ? undefined : parseFrom(spec.from)
  const pair = [localField, foreignField].filter(field => field !== undefined).length
  if (pair === 1 || (pair === 0 && spec.pipeline === undefined)) throw failedToParse("$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified")
  const target = splitFieldPath(as)
  const equality = pair === 2 ? compileEquality(text(localField), text(foreignField), from, context) : undefined
  const nested = spec.pipeline === undefined ? undefined : compileNested(spec, from, context)
  return function * (input) {
    const join = equality?.()
    for (const doc of input) {
      const matching = join?.(doc)
      const joined = nested === undefined ? matching ?? [] : nested(doc, matching)
      yield withValueAt(doc, target, joined)
    }
  }
}

function text (field: unknown): string {
  if (typeof field !== 'string') throw failedToParse(`$lookup argument must be a string, but found type: ${typeNameOf(field)}`)
  splitFieldPath(field)
  return field
}

export function parseFrom (from: unknown): CollectionReference {
  if (typeof from === 'string') return { coll: from }
  if (isDocument(from) && typeof from.coll === 'string') return typeof from.db === 'string' ? { db: from.db, coll: from.coll } : { coll: from.coll }
  throw failedToParse(`$lookup 'from' must be a string or an object with 'db' and 'coll', but found ${typeNameOf(from)}`)
}

type Join = (doc: Document) => Document[]

/** Values of a path that equality can meet: array elements, the arrays themselves, undefined if missing. */
export function matchableValues (doc: Document, path: Path): unknown[] {
  const values: unknown[] = []
  anyValue(doc, path, value => {
    values.push(value)
    return false
  }, true)
  return values
}

function compileEquality (localField: string, foreignField: string, from: CollectionReference | undefined, context: StageContext): () => Join {
  const local = parsePath(localField)
  const foreign = parsePath(foreignField)
  const { collation } = context.options
  return () => {
    let table: Map<string, Document[]> | undefined
    return doc => {
      const found = matchableValues(doc, local)
      // An array joins by its elements.
      const arrays = found.filter(Array.isArray)
      const wanted = (arrays.length > 0 ? found.filter(value => !Array.isArray(value) || arrays.some(array => array.includes(value))) : found).map(value => value ?? null)
      const values = wanted.length === 0 && arrays.length === 0 ? [null] : wanted
      const candidates = table === undefined && from !== undefined ? context.options.findEqual?.(from, foreignField, values) : undefined
      if (candidates !== undefined) {
        return [...candidates].filter(other => matchableValues(other, foreign).some(value => values.some(want => equalValues(value ?? null, want, collation))))
      }
      table ??= hashForeign(from, foreign, context)
      return fromTable(table, values, collation)
    }
  }
}

const order = new WeakMap<Document, number>()

function hashForeign (from: CollectionReference | undefined, path: Path, { options }: StageContext): Map<string, Document[]> {
  const table = new Map<string, Document[]>()
  let position = 0
  for (const doc of from === undefined ? [] : options.resolveCollection(from)) {
    order.set(doc, position++)
    for (const key of new Set(matchableValues(doc, path).map(value => groupKey(value ?? null, options.collation)))) {
      const bucket = table.get(key)
      if (bucket === undefined) table.set(key, [doc])
      else bucket.push(doc)
    }
  }
  return table
}

function fromTable (table: Map<string, Document[]>, values: unknown[], collation: StageContext['options']['collation']): Document[] {
  if (values.length === 1) return [...table.get(groupKey(values[0], collation)) ?? []]
  const found = new Set<Document>()
  for (const value of values) for (const doc of table.get(groupKey(value, collation)) ?? []) found.add(doc)
  return [...found].sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0))
}

/** A sub-pipeline with `let`: its variables are set before each run; without them the result is kept. */
function compileNested (spec: Document, from: CollectionReference | undefined, context: StageContext): (doc: Document, matching: Document[] | undefined) => Document[] {
  const scope = scopeOf(context)
  if (spec.let !== undefined && !isDocument(spec.let)) throw failedToParse(`$lookup argument 'let' must be an object, but found ${typeNameOf(spec.let)}`)
  const cells = new Map(context.cells)
  const variables = Object.entries(isDocument(spec.let) ? spec.let : {}).map(([name, expression]) => {
    assertVariableName(name)
    const cell = { value: undefined as unknown }
    cells.set(name, cell)
    return { cell, expression }
  }).map(({ cell, expression }) => ({ cell, evaluate: onDocument(compileExpression(expression, scope), scope) }))
  const stage: Stage = compilePipeline(spec.pipeline, { ...context, cells, within: '$lookup' })
  const foreign = from === undefined ? () => [] : rereadable(() => context.options.resolveCollection(from))
  let kept: Document[] | undefined
  return (doc, matching) => {
    for (const { cell, evaluate } of variables) cell.value = evaluate(doc)
    if (matching !== undefined) return [...stage(matching)]
    if (variables.length === 0 && kept !== undefined) return kept
    const result = [...stage(foreign())]
    if (variables.length === 0 && context.cells.size === 0) kept = result
    return result
  }
}

const MAX_KEPT = 50_000

/** Keeps a collection that is read again and again, unless it is large; it is read only as far as it is asked for. */
function rereadable (read: () => Iterable<Document>): () => Iterable<Document> {
  let kept: Document[] | undefined
  return function * () {
    if (kept !== undefined) return yield * kept
    let reading: Document[] | undefined = []
    for (const doc of read()) {
      reading?.push(doc)
      if (reading !== undefined && reading.length > MAX_KEPT) reading = undefined
      yield doc
    }
    kept = reading
  }
}

export const unionWithStage: StageFactory = (spec, context) => {
  const full = isDocument(spec) ? spec : undefined
  if (full === undefined && typeof spec !== 'string') throw failedToParse(`the $unionWith stage specification must be an object or string, but found ${typeNameOf(spec)}`)
  const coll = full === undefined ? spec : full.coll
  if (coll === undefined && full?.pipeline === undefined) throw failedToParse('$unionWith requires either a collection or a pipeline')
  const from = coll === undefined ? undefined : parseFrom(coll)
  const stage = compilePipeline(full?.pipeline ?? [], { ...context, within: '$unionWith' })
  return function * (input) {
    yield * input
    yield * stage(from === undefined ? [] : context.options.resolveCollection(from))
  }
}

export const facetStage: StageFactory = (spec, context) => {
  if (!isDocument(spec)) throw new CommandError(40169, `the $facet specification must be a non-empty object, but found: ${typeNameOf(spec)}`)
  if (Object.keys(spec).length === 0) throw new CommandError(40169, 'the $facet specification must be a non-empty object')
  const facets = Object.entries(spec).map(([name, pipeline]) => {
    if (!Array.isArray(pipeline)) throw new CommandError(40170, `arguments to $facet must be arrays, ${name} is type ${typeNameOf(pipeline)}`)
    if (name.includes('.') || name.startsWith('$')) throw badValue(`FieldPath field names may not contain '.' or start with '$': ${name}`)
    return { name, stage: compilePipeline(pipeline, { ...context, within: '$facet' }) }
  })
  return function * (input) {
    const documents = [...input]
    const result: Document = {}
    for (const { name, stage } of facets) result[name] = [...stage(documents)]
    yield result
  }
}
