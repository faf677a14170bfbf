import type { Collation, Document, FilterOptions } from '../types.js'
import { evaluateConstant } from './compile.js'

/**
 * The values an expression sees while it runs: slot 0 is `$$ROOT`, slot 1 `$$CURRENT`, further slots hold the
 * variables of `$let`, `$map`, `$filter`, `$reduce` and a sub-pipeline's `let`.
 */
export type Frame = unknown[]

/** A compiled expression; a missing value is undefined. */
export type Evaluate = (frame: Frame) => unknown

export const ROOT = 0
export const CURRENT = 1
const FIRST_VARIABLE = 2

/** A variable set from outside: by the command's `let`, or by `$lookup` before each run of its pipeline. */
export interface Cell { value: unknown }

export type Cells = ReadonlyMap<string, Cell>

/** What is known while compiling: which variables there are and where they live. */
export interface Scope {
  variables: ReadonlyMap<string, number>
  cells: Cells
  /** Shared by all scopes of one expression: how many slots a frame needs. */
  counter: { slots: number }
  collation: Collation | undefined
  now: Date
}

/** The scope of a command: its `let` variables are set once. */
export function rootScope (options: FilterOptions): Scope {
  const now = options.now ?? new Date()
  return {
    variables: new Map(),
    cells: options.cells ?? letCells(options.let, now),
    counter: { slots: FIRST_VARIABLE },
    collation: options.collation,
    now
  }
}

/** The values of a command's `let`, which are expressions without field paths. */
export function letCells (variables: Document | undefined, now: Date): Cells {
  if (variables === undefined) return new Map()
  return new Map(Object.entries(variables).map(([name, expression]) => {
    const scope = rootScope({ now, cells: new Map() })
    return [name, { value: evaluateConstant(expression, scope) }]
  }))
}

/** A scope with one more variable, and the slot it lives in. */
export function bindVariable (scope: Scope, name: string): { scope: Scope, slot: number } {
  const slot = scope.counter.slots++
  return { scope: { ...scope, variables: new Map(scope.variables).set(name, slot) }, slot }
}

/** Runs a compiled expression on documents; the frame is reused, since evaluation is synchronous. */
export function onDocument (evaluate: Evaluate, scope: Scope): (doc: Document) => unknown {
  const frame: Frame = new Array(scope.counter.slots).fill(undefined)
  return doc => {
    frame[ROOT] = doc
    frame[CURRENT] = doc
    return evaluate(frame)
  }
}
