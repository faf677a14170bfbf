import { compileExpression } from '../../expression/compile.js'
import { onDocument } from '../../expression/scope.js'
import type { Document } from '../../types.js'
import { isDocument } from '../../values/types.js'
import { scopeOf, type StageContext } from '../context.js'

/** A field that must equal a variable for a document to match. */
export interface ExpressionEquality { path: string, evaluate: () => unknown }

/** Comparisons `{ $expr: { $eq: ['$field', '$$variable'] } }` that all documents matching a filter meet. */
export function expressionEqualities (filter: Document | undefined, context: StageContext): ExpressionEquality[] {
  if (filter === undefined) return []
  const inside = Array.isArray(filter.$and) ? filter.$and.filter(isDocument).flatMap(part => expressionEqualities(part, context)) : []
  return [...inside, ...fromExpression(filter.$expr, context)]
}

function fromExpression (expression: unknown, context: StageContext): ExpressionEquality[] {
  if (!isDocument(expression) || Object.keys(expression).length !== 1) return []
  const { $and: all, $eq: pair } = expression
  if (Array.isArray(all)) return all.flatMap(part => fromExpression(part, context))
  if (!Array.isArray(pair) || pair.length !== 2) return []
  const field: unknown = pair.find(isField)
  const variable: unknown = pair.find(value => isVariable(value, context))
  if (typeof field !== 'string' || variable === undefined) return []
  const scope = scopeOf(context)
  const evaluate = onDocument(compileExpression(variable, scope), scope)
  return [{ path: field.slice(1), evaluate: () => evaluate({}) }]
}

function isField (value: unknown): boolean {
  return typeof value === 'string' && /^\$[^$]/.test(value)
}

function isVariable (value: unknown, { cells }: StageContext): boolean {
  return typeof value === 'string' && value.startsWith('$$') && cells.has(value.slice(2).split('.', 1)[0]!)
}
