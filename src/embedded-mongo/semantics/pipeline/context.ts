import { rootScope, letCells, type Cells, type Scope } from '../expression/scope.js'
import type { Document, PipelineOptions } from '../types.js'

/** One compiled stage: documents in, documents out, lazily where it can be. */
export type Stage = (input: Iterable<Document>) => Iterable<Document>

/** What stages need to know while they are compiled. */
export interface StageContext {
  options: PipelineOptions
  cells: Cells
  now: Date
  /** The stage this pipeline is nested in, for what is forbidden there. */
  within: '$facet' | '$lookup' | '$unionWith' | undefined
}

export type StageFactory = (spec: unknown, context: StageContext) => Stage

export function contextOf (options: PipelineOptions): StageContext {
  const now = options.now ?? new Date()
  return { options, cells: letCells(options.let, now), now, within: undefined }
}

/** A fresh scope for one expression. */
export function scopeOf (context: StageContext): Scope {
  return rootScope({ collation: context.options.collation, now: context.now, cells: context.cells })
}

/** Lets a blocking stage be interrupted every few hundred documents. */
export function * interruptible (input: Iterable<Document>, context: StageContext): Iterable<Document> {
  const { checkInterrupt } = context.options
  if (checkInterrupt === undefined) return yield * input
  let count = 0
  for (const doc of input) {
    if ((++count & 0xff) === 0) checkInterrupt()
    yield doc
  }
}
