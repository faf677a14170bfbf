import { anyValue, parsePath, type Path } from '../../paths/walk.js'
import type { CollectionReference, Document } from '../../types.js'
import { equalValues } from '../../values/compare.js'
import type { StageContext } from '../context.js'
import { collect, PAUSE, type Pause } from '../flow.js'
import { groupKey } from './group.js'

/** Documents found by an index that are kept for the same value to come again. */
const MOST_KEPT = 10_000
/** Up to this size a collection is read whole and kept, once that is less work than looking so many values up. */
const MOST_READ = 100_000

/** Values of a path that equality can meet: array elements, the arrays themselves, undefined if missing. */
export function matchableValues (doc: Document, path: Path): unknown[] {
  const values: unknown[] = []
  anyValue(doc, path, value => {
    values.push(value)
    return false
  }, true)
  return values
}

/**
 * Finds another collection's documents by the value of a path: through its index, or in a table made of the whole
 * collection when it has none or so many values are asked for that reading it once is less work.
 */
export class EqualityJoin {
  private readonly from: CollectionReference | undefined
  private readonly pathText: string
  private readonly path: Path
  private readonly context: StageContext
  private readonly accepts: ((doc: Document) => boolean) | undefined
  private readonly kept = new Map<string, Document[]>()
  private keptDocuments = 0
  private lookups = 0
  private table: Map<string, Document[]> | undefined
  private readonly places = new Map<Document, number>()

  /** Only documents that `accepts` takes are found; all if it is undefined. */
  constructor (from: CollectionReference | undefined, path: string, context: StageContext, accepts?: (doc: Document) => boolean) {
    this.from = from
    this.pathText = path
    this.path = parsePath(path)
    this.context = context
    this.accepts = accepts
  }

  /** Documents with one of the values, null meaning missing too, in their natural order. */
  * find (values: unknown[]): Generator<Pause, Document[]> {
    if (this.table === undefined) {
      const found = yield * this.findByIndex(values)
      if (found !== undefined) return found
      this.table = yield * this.readTable()
    }
    return this.fromTable(this.table, values)
  }

  private * findByIndex (values: unknown[]): Generator<Pause, Document[] | undefined> {
    const { options } = this.context
    if (this.from === undefined || options.findEqual === undefined) return undefined
    const key = values.length === 1 ? this.keyOf(values[0]) : undefined
    const known = key === undefined ? undefined : this.kept.get(key)
    if (known !== undefined) return [...known]
    const size = options.sizeOf?.(this.from)
    if (size !== undefined && size <= MOST_READ && this.lookups * 4 > size) return undefined
    const candidates = options.findEqual(this.from, this.pathText, values)
    if (candidates === undefined) return undefined
    this.lookups++
    const found = (yield * collect(candidates)).filter(other => this.hasOneOf(other, values))
    if (key !== undefined && this.keptDocuments + found.length < MOST_KEPT) {
      this.kept.set(key, found)
      this.keptDocuments += found.length + 1
    }
    return [...found]
  }

  private hasOneOf (doc: Document, values: unknown[]): boolean {
    const { collation } = this.context.options
    if (this.accepts?.(doc) === false) return false
    return matchableValues(doc, this.path).some(value => values.some(wanted => equalValues(value ?? null, wanted ?? null, collation)))
  }

  private * readTable (): Generator<Pause, Map<string, Document[]>> {
    const table = new Map<string, Document[]>()
    if (this.from === undefined) return table
    for (const doc of this.context.options.resolveCollection(this.from)) {
      if (doc === PAUSE) {
        yield PAUSE
        continue
      }
      if (this.accepts?.(doc) === false) continue
      this.places.set(doc, this.places.size)
      for (const key of new Set(matchableValues(doc, this.path).map(value => this.keyOf(value)))) {
        const bucket = table.get(key)
        if (bucket === undefined) table.set(key, [doc])
        else bucket.push(doc)
      }
    }
    return table
  }

  private fromTable (table: Map<string, Document[]>, values: unknown[]): Document[] {
    if (values.length === 1) return [...table.get(this.keyOf(values[0])) ?? []]
    const found = new Set<Document>()
    for (const value of values) for (const doc of table.get(this.keyOf(value)) ?? []) found.add(doc)
    return [...found].sort((a, b) => this.places.get(a)! - this.places.get(b)!)
  }

  private keyOf (value: unknown): string {
    return groupKey(value ?? null, this.context.options.collation)
  }
}
