import { accumulatingOperators } from './accumulating.js'
import { arithmeticOperators } from './arithmetic.js'
import { arrayOperators } from './array.js'
import { dateOperators } from './date.js'
import type { Operator } from './define.js'
import { logicOperators } from './logic.js'
import { objectOperators } from './object.js'
import { setOperators } from './set.js'
import { stringOperators } from './string.js'
import { typeOperators } from './type.js'

let table: Map<string, Operator> | undefined

/** The operator of a name such as `$add`; the table is made at first use, since its modules import one another. */
export function findOperator (name: string): Operator | undefined {
  table ??= new Map(Object.entries({
    ...accumulatingOperators,
    ...arithmeticOperators,
    ...arrayOperators,
    ...dateOperators,
    ...logicOperators,
    ...objectOperators,
    ...setOperators,
    ...stringOperators,
    ...typeOperators
  }))
  return table.get(name)
}
