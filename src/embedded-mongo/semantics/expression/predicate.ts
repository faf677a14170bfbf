import { truthy } from '../match/truth.js'
import type { Document, FilterOptions } from '../types.js'
import { compileExpression } from './compile.js'
import { onDocument, rootScope } from './scope.js'

/** `$expr`: an expression as a condition on documents. */
export function compilePredicate (expression: unknown, options: FilterOptions): (doc: Document) => boolean {
  const scope = rootScope(options)
  const evaluate = compileExpression(expression, scope)
  const run = onDocument(evaluate, scope)
  return doc => truthy(run(doc))
}
