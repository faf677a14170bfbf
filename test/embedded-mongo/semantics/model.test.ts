import fc from 'fast-check'
import { Int32, serialize } from 'bson'
import { test } from 'tap'
import { analyzeFilter, compareValues, compileFilter, compileSort, deserializeDocument, encodeKey, extractIndexKeys, scanDocument, serializeDocument, type Document, type PathBounds } from '../../../src/embedded-mongo/semantics/index.js'
import { Catalog } from '../../../src/embedded-mongo/storage/catalog.js'
import { defineIndex } from '../../../src/embedded-mongo/storage/index-definition.js'
import { newEntryKeys } from '../../../src/embedded-mongo/storage/index-entries.js'
import { NewDocument } from '../../../src/embedded-mongo/storage/lazy-document.js'
import { documents, failure, values } from './helpers.js'

/*
 * A second, naive matcher: it collects all values that a path means, then tries conditions on them.
 */

function isPlain (value: unknown): value is Document {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

function reachable (value: unknown, parts: string[]): unknown[] {
  const [part, ...rest] = parts
  if (part === undefined) return Array.isArray(value) ? [...value as unknown[], value] : [value]
  if (isPlain(value)) return reachable(value[part], rest)
  if (Array.isArray(value)) return value.filter(isPlain).flatMap(item => reachable(item, parts))
  return [undefined]
}

const family = (value: unknown) => encodeKey(value)[0]

function holds (operator: string, operand: unknown, candidates: unknown[]): boolean {
  const equal = (value: unknown) => operand === null ? value === null || value === undefined : value !== undefined && compareValues(value, operand) === 0
  const ordered = (test: (order: number) => boolean) => candidates.some(value => {
    const isNaN = (item: unknown) => compareValues(item, NaN) === 0
    if (operand === null) return (value === null || value === undefined) && test(0)
    if (isNaN(value) !== isNaN(operand)) return false
    const unbounded = ['MinKey', 'MaxKey'].includes(String((operand as { _bsontype?: string })._bsontype))
    return (unbounded || family(value) === family(operand)) && test(compareValues(value, operand))
  })
  switch (operator) {
    case '$eq': return candidates.some(equal)
    case '$ne': return !candidates.some(equal)
    case '$gt': return ordered(order => order > 0)
    case '$gte': return ordered(order => order >= 0)
    case '$lt': return ordered(order => order < 0)
    case '$lte': return ordered(order => order <= 0)
    case '$in': return (operand as unknown[]).some(item => holds('$eq', item, candidates))
    case '$nin': return !(operand as unknown[]).some(item => holds('$eq', item, candidates))
    default: return candidates.some(value => value !== undefined) === operand
  }
}

function naive (doc: Document, filter: Document): boolean {
  return Object.entries(filter).every(([name, condition]) => {
    const list = condition as Document[]
    if (name === '$and') return list.every(part => naive(doc, part))
    if (name === '$or') return list.some(part => naive(doc, part))
    if (name === '$nor') return !list.some(part => naive(doc, part))
    return Object.entries(condition as Document).every(([operator, operand]) => {
      if (operator === '$not') return !naive(doc, { [name]: operand })
      const parts = name.split('.')
      return holds(operator, operand, operator === '$exists' && parts.length === 1 ? [doc[name]] : reachable(doc, parts))
    })
  })
}

const isRegex = (value: unknown) => (value as { _bsontype?: string } | null)?._bsontype === 'BSONRegExp'
const operands = values.filter(value => !isRegex(value) && !isPlain(value))
const paths = fc.constantFrom('a', 'b', 'a.b', 'a.a', 'b.c')
const conditions = fc.oneof(
  fc.tuple(fc.constantFrom('$eq', '$ne', '$gt', '$gte', '$lt', '$lte'), operands),
  fc.tuple(fc.constantFrom('$in', '$nin'), fc.array(operands, { maxLength: 3 })),
  fc.tuple(fc.constant('$exists'), fc.boolean())
).map(([operator, operand]): Document => ({ [operator]: operand }))

const leaves = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(paths, conditions, conditions).map(([path, a, b]): Document => ({ [path]: { ...a, ...b } })) },
  { weight: 1, arbitrary: fc.tuple(paths, conditions).map(([path, condition]): Document => ({ [path]: { $not: condition } })) }
)
const filters = fc.oneof(
  { weight: 3, arbitrary: leaves },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('$and', '$or', '$nor'), fc.array(leaves, { minLength: 1, maxLength: 3 })).map(([name, list]): Document => ({ [name]: list })) },
  { weight: 1, arbitrary: fc.tuple(leaves, leaves).map(([one, two]): Document => ({ $and: [one, two] })) }
)

const RUNS = { numRuns: 1000 }
const onWire = (doc: Document) => deserializeDocument(serializeDocument(doc))

/** A filter that fits the document now and then: an operand is often a value that is there. */
function fitting (): fc.Arbitrary<[Document, Document]> {
  return fc.tuple(documents, filters, fc.nat(), fc.constantFrom('no', 'or', 'only', 'range')).map(([doc, filter, pick, plant]) => {
    const present = reachable(doc, ['abc'[pick % 3] ?? 'a']).filter(value => value !== undefined && !isRegex(value) && !isPlain(value))
    const [first] = present
    const field = 'abc'[pick % 3] ?? 'a'
    if (plant === 'no' || first === undefined) return [doc, filter]
    const planted = { [field]: plant === 'range' ? { $gte: first, $lte: present.at(-1) } : { $gte: present[pick % present.length], $in: [first, new Int32(1)] } }
    return [doc, plant === 'or' ? { $or: [filter, planted] } : planted]
  })
}

test('the compiled matcher agrees with a naive one', async () => {
  fc.assert(fc.property(fitting(), ([doc, filter]) => {
    const stored = onWire(doc)
    return compileFilter(filter)(stored) === naive(stored, filter)
  }), RUNS)
})

function within (value: unknown, bound: PathBounds): boolean {
  if (bound.eq !== undefined) return bound.eq.some(wanted => compareValues(wanted, value) === 0)
  const low = bound.min === undefined ? true : family(value) === family(bound.min) && (compareValues(value, bound.min) > (bound.minInclusive === true ? -1 : 0))
  const high = bound.max === undefined ? true : family(value) === family(bound.max) && (compareValues(value, bound.max) < (bound.maxInclusive === true ? 1 : 0))
  return low && high
}

/** The values an index on the path holds, read back from the naive walk. */
function indexed (doc: Document, path: string): Buffer[] {
  return extractIndexKeys(doc, { [path]: new Int32(1) }).keys
}

test('bounds never exclude a matching document', async () => {
  fc.assert(fc.property(fitting(), ([doc, filter]) => {
    const stored = onWire(doc)
    if (!compileFilter(filter)(stored)) return true
    return [...analyzeFilter(filter)].every(([path, bound]) => {
      const candidates = [...reachable(stored, path.split('.')), null, undefined].filter(value => indexed(stored, path).some(key => key.equals(encodeKey(value))))
      if (bound.eq !== undefined || bound.sameElement === true) return candidates.some(value => within(value, bound))
      const { min, max, minInclusive = false, maxInclusive = false } = bound
      return candidates.some(value => within(value, min === undefined ? { exact: false } : { min, minInclusive, exact: false })) &&
        candidates.some(value => within(value, max === undefined ? { exact: false } : { max, maxInclusive, exact: false }))
    })
  }), RUNS)
})

test('exact bounds decide for documents without arrays', async () => {
  fc.assert(fc.property(documents, paths, conditions, (doc, path, condition) => {
    const stored = onWire(doc)
    const filter = { [path]: condition }
    const bound = analyzeFilter(filter).get(path)
    const { keys, multikey } = extractIndexKeys(stored, { [path]: new Int32(1) })
    if (bound?.exact !== true || multikey) return true
    const value = [...reachable(stored, path.split('.')), null].find(item => keys[0]?.equals(encodeKey(item)) === true)
    return within(value, bound) === compileFilter(filter)(stored)
  }), RUNS)
})

test('sorting goes by the first index key', async () => {
  fc.assert(fc.property(fc.array(documents, { maxLength: 5 }), paths, fc.constantFrom(1, -1), (docs, path, direction) => {
    const stored = docs.map(onWire)
    const pattern = { [path]: new Int32(direction) }
    const sorted = [...stored].sort(compileSort(pattern))
    const first = (doc: Document) => extractIndexKeys(doc, pattern).keys[0] ?? Buffer.alloc(0)
    return sorted.every((doc, index) => index === 0 || Buffer.compare(first(sorted[index - 1] ?? {}), first(doc)) <= 0)
  }), { numRuns: 1000 })
})

const collection = new Catalog().placeholder('test', 'samples')
const indexSpecs = fc.record({
  key: fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'aa', 'd', 'a.b'), fc.constantFrom(1, -1, 'hashed')), { selector: ([path]) => path, minLength: 1, maxLength: 3 }).map(entries => Object.fromEntries(entries)),
  unique: fc.boolean(),
  sparse: fc.boolean(),
  partialFilterExpression: fc.constantFrom(undefined, undefined, undefined, { a: { $gt: 1 } }, { a: { $exists: true } }, { a: { $exists: true }, d: { $exists: true } }, { 'a.b': { $exists: true } }, { b: { $exists: false } }),
  collation: fc.constantFrom(undefined, undefined, undefined, { locale: 'en', strength: 2 })
})

/** The entries of a document in an index: their keys, or why there are none. */
function entriesOf (spec: Document, document: NewDocument): unknown {
  const index = defineIndex({ id: 7, spec, multikey: false, longKeys: false, ready: true })
  let keys: Buffer[] = []
  const make = (): void => { keys = newEntryKeys(undefined, collection, index, document, 0x010203040506) }
  try {
    make()
  } catch {
    return failure(make)
  }
  return { keys: keys.map(key => key.toString('hex')), multikey: index.multikey, longKeys: index.longKeys }
}

test('index keys are the same from bytes as decoded', async t => {
  let scanned = 0
  fc.assert(fc.property(documents, indexSpecs, fc.constantFrom(0, 40, 2000), (document, spec, length) => {
    const raw = Buffer.from(serialize(length === 0 ? document : { ...document, b: 'x'.repeat(length) }))
    const fields = scanDocument(raw)
    if (fields !== undefined) scanned++
    t.strictSame(entriesOf(spec, new NewDocument(raw, fields === undefined ? {} : { fields })), entriesOf(spec, new NewDocument(raw, {})))
  }), { numRuns: 1000 })
  t.ok(scanned > 100, `${scanned} of them from bytes`)
})
