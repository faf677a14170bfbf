import { Int32 } from 'bson'
import { CommandError, failedToParse } from '../../errors.js'
import { truthy } from '../../match/truth.js'
import { compareValues } from '../../values/compare.js'
import { isDocument } from '../../values/types.js'
import { compileExpression } from '../compile.js'
import { bindVariable, type Evaluate, type Scope } from '../scope.js'
import { argumentsOf, binary, compileArguments, isNullish, unary, type OperatorTable } from './define.js'

function comparison (name: string, accept: (order: number) => boolean) {
  return binary(name, (a, b, scope) => accept(compareValues(a, b, scope.collation)))
}

function conditional (operand: unknown, scope: Scope): Evaluate {
  const parts = isDocument(operand) ? namedCondition(operand) : argumentsOf('$cond', operand, 3)
  const [test, yes, no] = parts.map(part => compileExpression(part, scope)) as [Evaluate, Evaluate, Evaluate]
  return frame => truthy(test(frame)) ? yes(frame) : no(frame)
}

function namedCondition (operand: Record<string, unknown>): unknown[] {
  for (const key of Object.keys(operand)) {
    if (key !== 'if' && key !== 'then' && key !== 'else') throw new CommandError(17083, `Unrecognized parameter to $cond: ${key}`)
  }
  const codes = { if: 17080, then: 17081, else: 17082 }
  return (['if', 'then', 'else'] as const).map(key => {
    if (!(key in operand)) throw new CommandError(codes[key], `Missing '${key}' parameter to $cond`)
    return operand[key]
  })
}

function switchOperator (operand: unknown, scope: Scope): Evaluate {
  if (!isDocument(operand)) throw new CommandError(40060, '$switch requires an object as an argument, found: ' + typeof operand)
  const { branches } = operand
  for (const key of Object.keys(operand)) {
    if (key !== 'branches' && key !== 'default') throw new CommandError(40067, `$switch found an unknown argument: ${key}`)
  }
  if (!Array.isArray(branches)) throw new CommandError(40061, "$switch expected an array for 'branches'")
  if (branches.length === 0) throw new CommandError(40068, '$switch requires at least one branch.')
  const cases = branches.map((branch: unknown) => {
    if (!isDocument(branch)) throw new CommandError(40062, '$switch expected each branch to be an object')
    if (!('case' in branch)) throw new CommandError(40064, "$switch requires each branch have a 'case' expression")
    if (!('then' in branch)) throw new CommandError(40065, "$switch requires each branch have a 'then' expression.")
    return { test: compileExpression(branch.case, scope), value: compileExpression(branch.then, scope) }
  })
  const otherwise = 'default' in operand ? compileExpression(operand.default, scope) : undefined
  return frame => {
    for (const { test, value } of cases) if (truthy(test(frame))) return value(frame)
    if (otherwise === undefined) throw new CommandError(40066, '$switch could not find a matching branch for an input, and no default was specified.')
    return otherwise(frame)
  }
}

function letOperator (operand: unknown, scope: Scope): Evaluate {
  if (!isDocument(operand)) throw new CommandError(16874, '$let only supports an object as its argument')
  const { vars, in: body } = operand
  for (const key of Object.keys(operand)) {
    if (key !== 'vars' && key !== 'in') throw new CommandError(16875, `Unrecognized parameter to $let: ${key}`)
  }
  if (vars === undefined) throw new CommandError(16876, "Missing 'vars' parameter to $let")
  if (body === undefined) throw new CommandError(16877, "Missing 'in' parameter to $let")
  if (!isDocument(vars)) throw new CommandError(10065, 'invalid parameter: expected an object (vars)')
  let inner = scope
  const bindings = Object.entries(vars).map(([name, value]) => {
    assertVariableName(name)
    const bound = bindVariable(inner, name)
    // Each value is read in the outer scope: variables of one $let don't see each other.
    const evaluate = compileExpression(value, scope)
    inner = bound.scope
    return { slot: bound.slot, evaluate }
  })
  const result = compileExpression(body, inner)
  return frame => {
    for (const { slot, evaluate } of bindings) frame[slot] = evaluate(frame)
    return result(frame)
  }
}

/** Users' variables start with a lower-case letter (or beyond ASCII); capitals are the system's, except CURRENT. */
export function assertVariableName (name: string): void {
  if (name === '') throw failedToParse('empty variable names are not allowed')
  if (!/^[a-z\u0080-\uffff]/.test(name) && name !== 'CURRENT') throw failedToParse(`'${name}' starts with an invalid character for a user variable name`)
  if (!/^[\w\u0080-\uffff]+$/.test(name)) throw failedToParse(`'${name}' contains an invalid character for a variable name`)
}

export const logicOperators: OperatorTable = {
  $eq: comparison('$eq', order => order === 0),
  $ne: comparison('$ne', order => order !== 0),
  $gt: comparison('$gt', order => order > 0),
  $gte: comparison('$gte', order => order >= 0),
  $lt: comparison('$lt', order => order < 0),
  $lte: comparison('$lte', order => order <= 0),
  $cmp: binary('$cmp', (a, b, scope) => new Int32(Math.sign(compareValues(a, b, scope.collation)))),
  $and: (operand, scope) => {
    const list = compileArguments('$and', operand, scope, 0, Infinity)
    return frame => list.every(argument => truthy(argument(frame)))
  },
  $or: (operand, scope) => {
    const list = compileArguments('$or', operand, scope, 0, Infinity)
    return frame => list.some(argument => truthy(argument(frame)))
  },
  $not: unary('$not', value => !truthy(value)),
  $cond: conditional,
  $switch: switchOperator,
  $ifNull: (operand, scope) => {
    const list = argumentsOf('$ifNull', operand, 0, Infinity)
    if (list.length < 2) throw new CommandError(1257300, `$ifNull needs at least two arguments, had: ${list.length}`)
    const compiled = list.map(item => compileExpression(item, scope))
    return frame => {
      let value: unknown
      for (const argument of compiled) {
        value = argument(frame)
        if (!isNullish(value)) return value
      }
      return value
    }
  },
  $let: letOperator,
  $literal: operand => () => operand,
  $const: operand => () => operand
}
