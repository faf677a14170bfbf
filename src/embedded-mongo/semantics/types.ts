import type { Item, Pace } from './pipeline/flow.js'

/** A BSON document as {@link deserializeDocument} gives it: type wrappers (Int32, Double, Long, …) are kept. */
export type Document = Record<string, unknown>

/** The subset of MongoDB's collation document that is honoured; the rest is accepted and ignored. */
export interface Collation {
  locale: string
  strength?: unknown
  caseLevel?: unknown
  numericOrdering?: unknown
  caseFirst?: unknown
  alternate?: unknown
  [option: string]: unknown
}

/** The values of variables while a pipeline runs; internal. */
export type VariableCells = ReadonlyMap<string, { value: unknown }>

export interface FilterOptions {
  collation?: Collation | undefined
  /** The command's `let`: variables for `$expr`, already documents of expressions without field paths. */
  let?: Document | undefined
  /** What `$$NOW` means; defaults to the moment of compilation. */
  now?: Date | undefined
  /** Variables of an enclosing pipeline, in place of `let`; internal. */
  cells?: VariableCells | undefined
}

export interface ProjectionOptions extends FilterOptions {
  /** The query, which the positional projection `field.$` needs. */
  filter?: Document | undefined
}

export interface UpdateOptions extends FilterOptions {
  arrayFilters?: Document[] | undefined
  /** The query: positional `$` and upserts need it. */
  filter?: Document | undefined
}

export interface UpdateDescription {
  updatedFields: Document
  removedFields: string[]
  truncatedArrays: Array<{ field: string, newSize: number }>
}

export interface CompiledUpdate {
  /**
   * The document after the update. The argument is never changed; when the update changes nothing,
   * the argument itself is returned, so `after === before` means "matched, not modified".
   */
  apply: (doc: Document, isInsert?: boolean) => Document
  /** The document an upsert inserts. It has an `_id` only if the filter or the update gives one. */
  upsertDocument: () => Document
  isReplacement: boolean
}

/** A collection named by a stage such as `$lookup`. */
export interface CollectionReference { db?: string, coll: string }

export interface PipelineOptions extends FilterOptions {
  /** The documents of another collection; called once for each use. Those that don't match `filter` may be left out. */
  resolveCollection: (from: CollectionReference, filter?: Document) => Iterable<Item>
  /**
   * Documents of another collection that may have one of the values at the path (array elements count, null means
   * missing too), by an index, in their natural order; undefined if there is none. What it gives is checked again.
   */
  findEqual?: (from: CollectionReference, path: string, values: unknown[]) => Iterable<Item> | undefined
  /** How many documents another collection has, if that is known. */
  sizeOf?: (from: CollectionReference) => number | undefined
  /** Makes stages pause, for callers that give way; default never. */
  pace?: Pace | undefined
}

/** What a filter says about one path, for the choice of an index. Never narrower than the filter. */
export interface PathBounds {
  /** The value, or one of the values, is one of these (they may be null, which includes missing). */
  eq?: unknown[]
  min?: unknown
  minInclusive?: boolean
  max?: unknown
  maxInclusive?: boolean
  /** True if every document within the bounds matches this path's condition, when no array is on the path. */
  exact: boolean
  /** True if `min` and `max` hold for the same array element, so that both may be used on a multikey index. */
  sameElement?: boolean
  /** True if values of every type are compared with `min` and `max`, not only those of theirs, and an array as a whole. */
  anyType?: boolean
  /** True for the bounds of a regular expression: besides the strings, the index's regular expressions are needed. */
  prefix?: boolean
}

export interface IndexKeys { keys: Buffer[], multikey: boolean }
