import { failedToParse } from '../../errors.js'
import { compileExpression } from '../../expression/compile.js'
import { assertVariableName } from '../../expression/operators/logic.js'
import { onDocument } from '../../expression/scope.js'
import type { CollectionReference, Document } from '../../types.js'
import { isDocument, typeNameOf } from '../../values/types.js'
import { scopeOf, type StageContext } from '../context.js'
import { collect, paced, PAUSE, type Item, type Pause } from '../flow.js'
import { compilePipeline } from '../run.js'
import { expressionEqualities } from './expression-equalities.js'

/** Runs a `$lookup`'s own pipeline for one document, over the documents that equality found if there is one. */
export type NestedPipeline = (doc: Document, matching: Document[] | undefined) => Generator<Pause, Document[]>

const MOST_KEPT = 50_000

/** A sub-pipeline with `let`: its variables are set before each run; without them the result is kept. */
export function compileNested (spec: Document, from: CollectionReference | undefined, context: StageContext): NestedPipeline {
  const scope = scopeOf(context)
  if (spec.let !== undefined && !isDocument(spec.let)) throw failedToParse(`$lookup argument 'let' must be an object, but found ${typeNameOf(spec.let)}`)
  const cells = new Map(context.cells)
  const variables = Object.entries(isDocument(spec.let) ? spec.let : {}).map(([name, expression]) => {
    assertVariableName(name)
    const cell = { value: undefined as unknown }
    cells.set(name, cell)
    return { cell, expression }
  }).map(({ cell, expression }) => ({ cell, evaluate: onDocument(compileExpression(expression, scope), scope) }))
  const inner: StageContext = { ...context, cells, within: '$lookup' }
  const stage = compilePipeline(spec.pipeline, inner)
  const documents = from === undefined ? () => [] : readForeign(from, spec.pipeline as Document[], inner)
  let kept: Document[] | undefined
  return function * (doc, matching) {
    for (const { cell, evaluate } of variables) cell.value = evaluate(doc)
    if (matching !== undefined) return yield * collect(stage(paced(matching, context.pace)))
    if (variables.length === 0 && kept !== undefined) return kept
    const result = yield * collect(stage(documents()))
    if (variables.length === 0 && context.cells.size === 0) kept = result
    return result
  }
}

/** The filter that a pipeline begins with. */
export function leadingFilter (pipeline: Document[]): Document | undefined {
  const filter = pipeline[0]?.$match
  return isDocument(filter) ? filter : undefined
}

/**
 * The documents that a sub-pipeline starts from: those that an index finds for a variable that its first `$match`
 * compares a field with, otherwise the collection, which is kept for the next run unless it is large.
 */
function readForeign (from: CollectionReference, pipeline: Document[], context: StageContext): () => Iterable<Item> {
  const filter = leadingFilter(pipeline)
  const equalities = expressionEqualities(filter, context)
  let kept: Document[] | undefined
  return function * () {
    for (const { path, evaluate } of equalities) {
      const value = evaluate()
      const found = value === undefined || Array.isArray(value) ? undefined : context.options.findEqual?.(from, path, [value])
      if (found !== undefined) return yield * found
    }
    if (kept !== undefined) return yield * paced(kept, context.pace)
    let reading: Document[] | undefined = []
    for (const item of context.options.resolveCollection(from, filter)) {
      if (item !== PAUSE) reading?.push(item)
      if (reading !== undefined && reading.length > MOST_KEPT) reading = undefined
      yield item
    }
    kept = reading
  }
}
