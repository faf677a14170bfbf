import { compileAccumulator, parseShares, percentilesOf, type AccumulatorSpec } from '../accumulators.js'
import { compileExpression } from '../compile.js'
import type { Scope } from '../scope.js'
import { numericTypeOf } from '../../values/arithmetic.js'
import { toNumber } from '../../values/numbers.js'
import { compileArguments, type Operator, type OperatorTable } from './define.js'

/** `$sum`, `$avg`, … outside `$group`: over the elements of one array, or over the arguments themselves. */
function overValues (name: string): Operator {
  return (operand, scope: Scope) => {
    const list = compileArguments(name, operand, scope, 0, Infinity)
    const { create }: AccumulatorSpec = compileAccumulator(name, 0, scope)
    return frame => {
      const state = create()
      const [only] = list
      const value = list.length === 1 ? only?.(frame) : undefined
      const values: unknown[] = Array.isArray(value) ? value : list.length === 1 ? [value] : list.map(argument => argument(frame))
      for (const item of values) state.add(item, frame)
      return state.result()
    }
  }
}

function shares (name: '$percentile' | '$median'): Operator {
  return (operand, scope) => {
    const { input, shares } = parseShares(name, operand, scope)
    const evaluate = compileExpression(input, scope)
    return frame => {
      const value = evaluate(frame)
      const values: unknown[] = Array.isArray(value) ? value : [value]
      const found = percentilesOf(values.filter(item => numericTypeOf(item) !== undefined).map(toNumber), shares)
      return name === '$median' ? found[0] : found
    }
  }
}

export const accumulatingOperators: OperatorTable = {
  $sum: overValues('$sum'),
  $avg: overValues('$avg'),
  $min: overValues('$min'),
  $max: overValues('$max'),
  $stdDevPop: overValues('$stdDevPop'),
  $stdDevSamp: overValues('$stdDevSamp'),
  $percentile: shares('$percentile'),
  $median: shares('$median')
}
