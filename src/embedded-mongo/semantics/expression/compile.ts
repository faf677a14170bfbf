import { CommandError, ErrorCodes, failedToParse } from '../errors.js'
import type { Document } from '../types.js'
import { isDocument, setField } from '../values/types.js'
import { splitFieldPath, valueAtPath } from './field-path.js'
import { findOperator } from './operators/index.js'
import { CURRENT, ROOT, type Evaluate, type Scope } from './scope.js'

/**
 * Compiles an aggregation expression: a field path (`$a.b`), a variable (`$$v.b`), an operator, a document or
 * array of expressions, or a literal.
 * @throws CommandError 168 InvalidPipelineOperator for an unknown operator, 17276 for an unknown variable
 */
export function compileExpression (expression: unknown, scope: Scope): Evaluate {
  if (typeof expression === 'string' && expression.startsWith('$')) {
    return expression.startsWith('$$') ? compileVariable(expression.slice(2), scope) : compilePath(expression.slice(1))
  }
  if (Array.isArray(expression)) return compileArray(expression, scope)
  if (isDocument(expression)) return compileDocument(expression, scope)
  return () => expression
}

function compilePath (path: string): Evaluate {
  if (path === '') throw new CommandError(16872, "'$' by itself is not a valid FieldPath")
  const parts = splitFieldPath(path)
  return frame => valueAtPath(frame[CURRENT], parts)
}

function compileVariable (reference: string, scope: Scope): Evaluate {
  const dot = reference.indexOf('.')
  const name = dot === -1 ? reference : reference.slice(0, dot)
  if (name === '') throw failedToParse('empty variable names are not allowed')
  const parts = dot === -1 ? [] : splitFieldPath(reference.slice(dot + 1))
  const source = variableSource(name, scope)
  return parts.length === 0 ? source : frame => valueAtPath(source(frame), parts)
}

function variableSource (name: string, scope: Scope): Evaluate {
  const slot = scope.variables.get(name)
  if (slot !== undefined) return frame => frame[slot]
  const cell = scope.cells.get(name)
  if (cell !== undefined) return () => cell.value
  switch (name) {
    case 'ROOT': return frame => frame[ROOT]
    case 'CURRENT': return frame => frame[CURRENT]
    case 'REMOVE': return () => undefined
    case 'NOW': return () => scope.now
    default:
      if (!/^[a-z_\u0080-\uffff][\w\u0080-\uffff]*$/i.test(name)) throw failedToParse(`'${name}' contains an invalid character for a variable name: '${/[^\w]/.exec(name)?.[0] ?? ''}'`)
      throw new CommandError(17276, `Use of undefined variable: ${name}`)
  }
}

function compileArray (items: unknown[], scope: Scope): Evaluate {
  const compiled = items.map(item => compileExpression(item, scope))
  // Arrays cannot have holes: a missing value becomes null.
  return frame => compiled.map(evaluate => evaluate(frame) ?? null)
}

function compileDocument (expression: Document, scope: Scope): Evaluate {
  const names = Object.keys(expression)
  const [first] = names
  if (first?.startsWith('$') === true) {
    if (names.length > 1) {
      throw new CommandError(15983, `an expression specification must contain exactly one field, the name of the expression. Found ${names.length} fields in { ${names.join(', ')} }`)
    }
    return compileOperator(first, expression[first], scope)
  }
  return compileFields(expression, scope)
}

export function compileFields (expression: Document, scope: Scope): Evaluate {
  const fields = Object.entries(expression).map(([name, value]) => {
    if (name.startsWith('$')) throw new CommandError(15990, `this object is already an object expression, and can't be used as an operator expression: ${name}`)
    if (name.includes('.')) throw new CommandError(16412, 'FieldPath field names may not contain \'.\'. Consider using $getField or $setField.')
    return { name, evaluate: compileExpression(value, scope) }
  })
  return frame => {
    const result: Document = {}
    for (const { name, evaluate } of fields) {
      const value = evaluate(frame)
      if (value !== undefined) setField(result, name, value)
    }
    return result
  }
}

export function compileOperator (name: string, operand: unknown, scope: Scope): Evaluate {
  const operator = findOperator(name)
  if (operator === undefined) throw new CommandError(ErrorCodes.InvalidPipelineOperator, `Unrecognized expression '${name}'`)
  return operator(operand, scope)
}

/** Evaluates an expression that reads no document, such as the value of a `let` variable. */
export function evaluateConstant (expression: unknown, scope: Scope): unknown {
  const evaluate = compileExpression(expression, scope)
  return evaluate(new Array(scope.counter.slots).fill(undefined))
}
