import { rootScope, letCells, type Cells, type Scope } from '../expression/scope.js'
import type { PipelineOptions } from '../types.js'
import { UNPACED, type Item, type Pace } from './flow.js'

/** One compiled stage: documents in, documents out, lazily where it can be. Pauses are passed on. */
export type Stage = (input: Iterable<Item>) => Iterable<Item>

/** What stages need to know while they are compiled. */
export interface StageContext {
  options: PipelineOptions
  cells: Cells
  now: Date
  pace: Pace
  /** How many of its documents the stages behind a `$sort` ask for; Infinity for all. */
  wanted: number
  /** The stage this pipeline is nested in, for what is forbidden there. */
  within: '$facet' | '$lookup' | '$unionWith' | undefined
}

export type StageFactory = (spec: unknown, context: StageContext) => Stage

export function contextOf (options: PipelineOptions): StageContext {
  const now = options.now ?? new Date()
  return { options, cells: letCells(options.let, now), now, pace: options.pace ?? UNPACED, wanted: Infinity, within: undefined }
}

/** A fresh scope for one expression. */
export function scopeOf (context: StageContext): Scope {
  return rootScope({ collation: context.options.collation, now: context.now, cells: context.cells })
}
