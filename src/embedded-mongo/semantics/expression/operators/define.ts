import { CommandError, failedToParse } from '../../errors.js'
import { isDocument } from '../../values/types.js'
import { compileExpression } from '../compile.js'
import type { Evaluate, Scope } from '../scope.js'

/** Compiles an operator's operand into the expression's value. */
export type Operator = (operand: unknown, scope: Scope) => Evaluate

export type OperatorTable = Record<string, Operator>

export function isNullish (value: unknown): value is null | undefined {
  return value === null || value === undefined
}

/** The operand as a list of arguments, as many as the operator takes. */
export function argumentsOf (name: string, operand: unknown, least: number, most = least): unknown[] {
  const list: unknown[] = Array.isArray(operand) ? operand : [operand]
  if (list.length >= least && list.length <= most) return list
  if (least === most) throw new CommandError(16020, `Expression ${name} takes exactly ${least} arguments. ${list.length} were passed in.`)
  throw new CommandError(28667, `Expression ${name} takes at least ${least} arguments, and at most ${most}, but ${list.length} were passed in.`)
}

export function compileArguments (name: string, operand: unknown, scope: Scope, least: number, most = least): Evaluate[] {
  return argumentsOf(name, operand, least, most).map(item => compileExpression(item, scope))
}

export function unary (name: string, compute: (value: unknown, scope: Scope) => unknown): Operator {
  return (operand, scope) => {
    const [argument] = compileArguments(name, operand, scope, 1) as [Evaluate]
    return frame => compute(argument(frame), scope)
  }
}

/** As {@link unary}, giving null for null and missing. */
export function unaryOrNull (name: string, compute: (value: unknown) => unknown): Operator {
  return unary(name, value => isNullish(value) ? null : compute(value))
}

export function binary (name: string, compute: (a: unknown, b: unknown, scope: Scope) => unknown): Operator {
  return (operand, scope) => {
    const [first, second] = compileArguments(name, operand, scope, 2) as [Evaluate, Evaluate]
    return frame => compute(first(frame), second(frame), scope)
  }
}

export function variadic (name: string, compute: (values: unknown[], scope: Scope) => unknown, least = 0, most = Infinity): Operator {
  return (operand, scope) => {
    const list = compileArguments(name, operand, scope, least, most)
    return frame => compute(list.map(argument => argument(frame)), scope)
  }
}

export type Arguments = Record<string, unknown>

/** An operator with named arguments, such as `{ $dateTrunc: { date, unit } }`. */
export function named (name: string, required: string[], optional: string[], compute: (values: Arguments, scope: Scope) => unknown, codes: { notObject?: number, unknown?: number, missing?: number } = {}): Operator {
  return (operand, scope) => {
    if (!isDocument(operand)) throw coded(codes.notObject, `${name} only supports an object as its argument`)
    for (const key of Object.keys(operand)) {
      if (!required.includes(key) && !optional.includes(key)) throw coded(codes.unknown, `Unrecognized argument to ${name}: ${key}`)
    }
    for (const key of required) {
      if (!(key in operand)) throw coded(codes.missing, `Missing '${key}' parameter to ${name}`)
    }
    const compiled = Object.entries(operand).map(([key, value]) => [key, compileExpression(value, scope)] as const)
    return frame => {
      const values: Arguments = {}
      for (const [key, evaluate] of compiled) values[key] = evaluate(frame)
      return compute(values, scope)
    }
  }
}

function coded (code: number | undefined, message: string): CommandError {
  return code === undefined ? failedToParse(message) : new CommandError(code, message)
}
