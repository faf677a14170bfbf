import fc from 'fast-check'
import { createRequire } from 'node:module'
import { test } from 'tap'
import { compileFilter, runPipeline, type Document } from '../../../src/embedded-mongo/semantics/index.js'
import { relaxed, wire, wireList } from './helpers.js'

/*
 * mingo is an independent implementation of the query and aggregation language. Over plain JSON, where BSON's
 * types play no part, and for the operators in which it follows MongoDB, both must give the same.
 */

interface Mingo {
  Query: new (filter: object) => { test: (doc: object) => boolean }
  aggregate: (input: object[], pipeline: object[]) => object[]
}

const mingo = createRequire(import.meta.url)('mingo') as Mingo

const scalar = fc.oneof(fc.integer({ min: -3, max: 9 }), fc.constantFrom('x', 'y', 'xy', ''), fc.boolean())
const record = fc.record({
  n: fc.integer({ min: -5, max: 20 }),
  s: fc.constantFrom('alpha', 'beta', 'Gamma', ''),
  b: fc.boolean(),
  list: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 4 }),
  subs: fc.array(fc.record({ k: fc.constantFrom('a', 'b', 'c'), v: fc.integer({ min: 0, max: 5 }) }), { maxLength: 3 }),
  o: fc.record({ p: scalar, q: fc.integer({ min: 0, max: 3 }) })
})
const records = fc.array(record, { maxLength: 8 }).map(list => list.map((doc, _id) => ({ _id, ...doc })))

const number = fc.integer({ min: -3, max: 12 })
const comparison = fc.constantFrom('$eq', '$ne', '$gt', '$gte', '$lt', '$lte')
const condition = fc.oneof(
  fc.tuple(fc.constantFrom('n', 'o.q', 'subs.v'), comparison, number).map(([path, operator, value]) => ({ [path]: { [operator]: value } })),
  fc.tuple(fc.constantFrom('s', 'subs.k'), fc.array(fc.constantFrom('alpha', 'beta', 'a', 'b'), { minLength: 1, maxLength: 3 }), fc.constantFrom('$in', '$nin')).map(([path, list, operator]) => ({ [path]: { [operator]: list } })),
  fc.integer({ min: 0, max: 4 }).map(size => ({ list: { $size: size } })),
  fc.tuple(number, number).map(([low, high]) => ({ list: { $elemMatch: { $gte: low, $lt: high } } })),
  fc.tuple(fc.constantFrom('a', 'b'), number).map(([k, v]) => ({ subs: { $elemMatch: { k, v: { $gt: v } } } })),
  fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 3 })).map(([divisor, rest]) => ({ n: { $mod: [divisor, rest] } })),
  fc.constantFrom('^a', 'a$', 'MM').map(pattern => ({ s: { $regex: pattern, $options: 'i' } })),
  fc.constantFrom('missing', 'n', 'o.p').map(path => ({ [path]: { $exists: true } })),
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 2 }).map(list => ({ list: { $all: list } }))
)
const filters: fc.Arbitrary<object> = fc.oneof(
  { weight: 3, arbitrary: condition },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('$and', '$or', '$nor'), fc.array(condition, { minLength: 1, maxLength: 3 })).map(([name, list]) => ({ [name]: list })) }
)

test('filters over plain JSON agree with mingo', async () => {
  fc.assert(fc.property(records, filters, (docs, filter) => {
    const ours = compileFilter(wire(filter))
    const theirs = new mingo.Query(filter)
    return docs.every(doc => ours(wire(doc)) === theirs.test(doc))
  }), { numRuns: 500 })
})

const value: fc.Arbitrary<unknown> = fc.letrec(tie => ({
  number: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<unknown>('$n', '$o.q', { $size: '$list' }, { $sum: '$list' }, { $strLenCP: '$s' }, { $sum: '$subs.v' }),
    number,
    fc.tuple(fc.constantFrom('$add', '$subtract', '$multiply'), tie('number'), tie('number')).map(([name, a, b]) => ({ [name]: [a, b] })),
    fc.tuple(tie('truth'), tie('number'), tie('number')).map(([test, yes, no]) => ({ $cond: [test, yes, no] })),
    tie('number').map(inner => ({ $abs: inner })),
    fc.tuple(tie('number'), tie('number')).map(([a, b]) => ({ $let: { vars: { v: a }, in: { $add: ['$$v', b] } } })),
    tie('number').map(start => ({ $reduce: { input: '$list', initialValue: start, in: { $add: ['$$value', '$$this'] } } }))
  ),
  truth: fc.oneof(
    { maxDepth: 3 },
    fc.constant<unknown>('$b'),
    fc.tuple(fc.constantFrom('$eq', '$gt', '$gte', '$lt', '$lte', '$ne'), tie('number'), tie('number')).map(([name, a, b]) => ({ [name]: [a, b] })),
    fc.tuple(fc.constantFrom('$and', '$or'), tie('truth'), tie('truth')).map(([name, a, b]) => ({ [name]: [a, b] })),
    tie('truth').map(inner => ({ $not: [inner] })),
    tie('number').map(wanted => ({ $in: [wanted, '$list'] }))
  ),
  list: fc.oneof(
    fc.constantFrom<unknown>('$list', '$subs.v', { $reverseArray: '$list' }, { $slice: ['$list', 2] }, { $slice: ['$list', -2] }),
    tie('number').map(bound => ({ $filter: { input: '$list', as: 'x', cond: { $gt: ['$$x', bound] } } })),
    tie('number').map(step => ({ $map: { input: '$list', as: 'x', in: { $add: ['$$x', step] } } })),
    fc.constant({ $concatArrays: ['$list', '$subs.v'] })
  ),
  text: fc.constantFrom<unknown>({ $concat: ['$s', '-', '$s'] }, { $toUpper: '$s' }, { $substrCP: ['$s', 0, 2] }, { $split: ['$s', 'a'] }, { $indexOfBytes: ['$s', 'a'] }, { $replaceAll: { input: '$s', find: 'a', replacement: 'o' } }),
  any: fc.oneof(tie('number'), tie('truth'), tie('list'), tie('text'))
})).any

function run (docs: object[], pipeline: object[]): unknown {
  const { p } = wire({ p: pipeline }) as { p: Document[] }
  return relaxed([...runPipeline(wireList(docs), p, { resolveCollection: () => [] })])
}

/** Results without field order, which mingo does not keep. */
function plain (result: unknown): string {
  return JSON.stringify(result, (_name, item: unknown) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => a < b ? -1 : 1))
  })
}

test('expressions over plain JSON agree with mingo', async () => {
  fc.assert(fc.property(records, value, (docs, expression) => {
    const pipeline = [{ $project: { r: expression } }]
    return plain(run(docs, pipeline)) === plain(mingo.aggregate(docs, pipeline))
  }), { numRuns: 500 })
})

const pipelines: object[][] = [
  [{ $sort: { n: -1, _id: 1 } }, { $skip: 1 }, { $limit: 3 }],
  [{ $unwind: '$subs' }, { $group: { _id: '$subs.k', total: { $sum: '$subs.v' }, most: { $max: '$n' }, all: { $push: '$_id' } } }, { $sort: { _id: 1 } }],
  [{ $group: { _id: '$b', n: { $sum: 1 }, avg: { $avg: '$n' }, first: { $first: '$s' }, last: { $last: '$s' } } }, { $sort: { _id: 1 } }],
  [{ $facet: { many: [{ $match: { n: { $gt: 5 } } }, { $project: { n: 1 } }], few: [{ $sortByCount: '$s' }, { $sort: { count: -1, _id: 1 } }] } }],
  [{ $set: { 'o.z': { $add: ['$n', 1] } } }, { $unset: ['list', 'subs'] }],
  [{ $setWindowFields: { partitionBy: '$b', sortBy: { _id: 1 }, output: { run: { $sum: '$n', window: { documents: ['unbounded', 'current'] } } } } }, { $sort: { _id: 1 } }, { $project: { run: 1 } }],
  [{ $replaceRoot: { newRoot: { $mergeObjects: ['$o', { id: '$_id' }] } } }]
]

test('pipelines over plain JSON agree with mingo', async () => {
  for (const pipeline of pipelines) {
    fc.assert(fc.property(records.filter(docs => docs.length > 0), docs => plain(run(docs, pipeline)) === plain(mingo.aggregate(structuredClone(docs), pipeline))), { numRuns: 150 })
  }
})
