import { isDeepStrictEqual } from 'node:util'
import type { KeyCeiling } from './key-ceiling.js'
import type { Collation, Document, RawKeyPattern } from '../semantics/index.js'

/** One index as the catalogue keeps it. `spec` is what listIndexes shows. */
export interface IndexDefinition {
  id: number
  name: string
  spec: Document
  /** The key pattern's paths and directions, in order. */
  paths: string[]
  directions: Array<1 | -1>
  /** Set where keys of most documents can be made from their bytes: top-level paths, no collation, no filter but for fields that exist. */
  raw: RawKeyPattern | undefined
  /** False for kinds that an earlier release listed without using them, such as `text`: they hold no entries. */
  isSupported: boolean
  /** One of its paths is `hashed`: kept in order like the others, but without arrays, as MongoDB has it. */
  isHashed: boolean
  unique: boolean
  sparse: boolean
  hidden: boolean
  partialFilter: Document | undefined
  collation: Collation | undefined
  expireAfterSeconds: number | undefined
  /** An array was indexed once, so one document may have several entries. */
  multikey: boolean
  /** A key too long for LMDB was cut once, so the order of entries is not that of the values. */
  longKeys: boolean
  /** False while entries of older documents are still being added. */
  ready: boolean
  /** When it became complete, by performance.now(): older snapshots lack its entries. */
  readyAt: number
  /** Set only where it is known that no key is above it. */
  ceiling?: KeyCeiling
}

/** What the catalogue stores besides the spec. */
export interface IndexRecord { id: number, spec: Document, multikey: boolean, longKeys: boolean, ready: boolean }

/** Reads a stored or requested index. The spec must have been validated. */
export function defineIndex (record: IndexRecord): IndexDefinition {
  const { spec } = record
  const key = spec.key as Document
  const paths = Object.keys(key)
  const values = Object.values(key)
  const index = {
    ...record,
    name: spec.name as string,
    paths,
    readyAt: performance.now(),
    directions: values.map((value): 1 | -1 => Number(value) < 0 ? -1 : 1),
    isSupported: values.every(value => typeof value !== 'string' || value === 'hashed') && !paths.some(path => path.includes('$**')),
    isHashed: values.includes('hashed'),
    unique: isTrue(spec.unique) || (paths.length === 1 && paths[0] === '_id' && spec.unique !== false),
    sparse: isTrue(spec.sparse),
    hidden: isTrue(spec.hidden),
    partialFilter: spec.partialFilterExpression as Document | undefined,
    collation: spec.collation as Collation | undefined,
    expireAfterSeconds: spec.expireAfterSeconds === undefined ? undefined : Number(spec.expireAfterSeconds)
  } satisfies Omit<IndexDefinition, 'raw'>
  return { ...index, raw: rawPattern(index) }
}

function rawPattern ({ isSupported, partialFilter, collation, paths, directions, sparse }: Omit<IndexDefinition, 'raw'>): RawKeyPattern | undefined {
  const required = requiredFields(partialFilter)
  if (!isSupported || required === undefined || collation !== undefined || paths.some(path => path.includes('.'))) return undefined
  const bytesOf = (names: string[]): Buffer[] => names.map(name => Buffer.from(name))
  return { names: bytesOf(paths), descending: directions.map(direction => direction === -1), sparse, required: bytesOf(required) }
}

/** The top-level fields that a partial filter asks for, if it asks for nothing else. */
function requiredFields (partialFilter: Document | undefined): string[] | undefined {
  const conditions = Object.entries(partialFilter ?? {})
  const isPresence = ([name, condition]: [string, unknown]): boolean =>
    !name.includes('.') && !name.startsWith('$') && isDeepStrictEqual(condition, { $exists: true })
  return conditions.every(isPresence) ? conditions.map(([name]) => name) : undefined
}

export function indexRecord (index: IndexDefinition): IndexRecord {
  return { id: index.id, spec: index.spec, multikey: index.multikey, longKeys: index.longKeys, ready: index.ready }
}

function isTrue (value: unknown): boolean {
  return value === true || (typeof value === 'object' && value !== null && Number(value) !== 0) || (typeof value === 'number' && value !== 0)
}
