import { Decimal128, Double, Long } from 'bson'
import { test, type Test } from 'tap'
import { optimizePipeline, runPipeline, type Document } from '../../../src/embedded-mongo/semantics/index.js'
import { canonical, failure, relaxed, wire, wireList } from './helpers.js'

const races = [
  { _id: 1, driver: 'ann', team: 'red', points: 25, tags: ['wet', 'night'], at: new Date('2024-03-02T15:00:00Z') },
  { _id: 2, driver: 'bob', team: 'blue', points: 18, tags: ['wet'], at: new Date('2024-03-02T15:30:00Z') },
  { _id: 3, driver: 'ann', team: 'red', points: 15.5, tags: [], at: new Date('2024-03-09T15:00:00Z') },
  { _id: 4, driver: 'cid', team: 'blue', points: null, at: new Date('2024-03-09T16:00:00Z') }
]
const drivers = [
  { _id: 'ann', country: 'NL', mentor: 'bob', cars: ['r1', 'r2'] },
  { _id: 'bob', country: 'UK', mentor: 'cid', cars: ['b1'] },
  { _id: 'cid', country: 'UK', cars: ['b1', 'r1'] }
]

const collections: Record<string, object[]> = { races, drivers, empty: [] }

function run (pipeline: object[], input: object[] = races, options: { let?: Document, collation?: { locale: string, strength: number } } = {}): Document[] {
  const { p } = wire({ p: pipeline }) as { p: Document[] }
  return [...runPipeline(wireList(input), p, { ...options, resolveCollection: ({ coll }) => wireList(collections[coll] ?? []) })]
}

function check (t: Test, rows: Array<[pipeline: object[], expected: object[], input?: object[]]>): void {
  for (const [pipeline, expected, input] of rows) {
    const result = relaxed(run(pipeline, input)) as object[]
    t.same(result, relaxed(wireList(expected)), JSON.stringify(pipeline))
    t.same(result.map(doc => Object.keys(doc)), expected.map(doc => Object.keys(doc)))
  }
}

test('simple stages filter, shape and cut', async t => {
  check(t, [
    [[], races],
    [[{ $match: { points: { $gt: 16 } } }, { $project: { driver: 1 } }], [{ _id: 1, driver: 'ann' }, { _id: 2, driver: 'bob' }]],
    [[{ $skip: 1 }, { $limit: 2 }, { $project: { _id: 1 } }], [{ _id: 2 }, { _id: 3 }]],
    [[{ $sort: { points: -1, _id: 1 } }, { $project: { _id: 1 } }], [{ _id: 1 }, { _id: 2 }, { _id: 3 }, { _id: 4 }]],
    [[{ $limit: 1 }, { $set: { 'x.y': 1, points: '$$REMOVE' } }, { $unset: ['tags', 'at'] }], [{ _id: 1, driver: 'ann', team: 'red', x: { y: 1 } }]],
    [[{ $limit: 1 }, { $addFields: { 'tags.n': 1 } }, { $project: { tags: 1 } }], [{ _id: 1, tags: [{ n: 1 }, { n: 1 }] }]],
    [[{ $limit: 1 }, { $replaceRoot: { newRoot: { d: '$driver' } } }], [{ d: 'ann' }]],
    [[{ $count: 'n' }], [{ n: 4 }]],
    [[{ $match: { _id: 9 } }, { $count: 'n' }], []],
    [[{ $sortByCount: '$team' }, { $match: { count: 2 } }, { $count: 'n' }], [{ n: 2 }]],
    [[{ $documents: [{ a: 1 }, { a: { $add: [1, 1] } }] }], [{ a: 1 }, { a: 2 }]],
    [[{ $sample: { size: 10 } }, { $count: 'n' }], [{ n: 4 }]],
    [[{ $redact: { $cond: [{ $eq: ['$team', 'red'] }, '$$KEEP', '$$PRUNE'] } }, { $project: { _id: 1 } }], [{ _id: 1 }, { _id: 3 }]],
    [[{ $redact: { $cond: [{ $eq: [{ $ifNull: ['$secret', false] }, true] }, '$$PRUNE', '$$DESCEND'] } }], [{ a: { b: 1 }, l: [{ c: 1 }] }], [{ a: { b: 1 }, s: { secret: true }, l: [{ c: 1 }, { secret: true }] }]]
  ])
})

test('$unwind makes a document of each element', async t => {
  check(t, [
    [[{ $unwind: '$tags' }, { $project: { tags: 1 } }], [{ _id: 1, tags: 'wet' }, { _id: 1, tags: 'night' }, { _id: 2, tags: 'wet' }]],
    [[{ $unwind: { path: '$tags', preserveNullAndEmptyArrays: true, includeArrayIndex: 'i' } }, { $project: { tags: 1, i: 1 } }],
      [{ _id: 1, tags: 'wet', i: 0 }, { _id: 1, tags: 'night', i: 1 }, { _id: 2, tags: 'wet', i: 0 }, { _id: 3, i: null }, { _id: 4, i: null }]],
    [[{ $unwind: '$a.b' }], [{ a: { b: 1 } }, { a: { b: 2 } }, { a: { b: 3 } }], [{ a: { b: [1, 2] } }, { a: { b: 3 } }, { a: { b: null } }, { a: [] }]]
  ])
})

test('$group accumulates by key', async t => {
  check(t, [
    [[{ $group: { _id: '$team', total: { $sum: '$points' }, n: { $sum: 1 }, avg: { $avg: '$points' }, best: { $max: '$points' }, worst: { $min: '$points' } } }, { $sort: { _id: 1 } }],
      [{ _id: 'blue', total: 18, n: 2, avg: 18, best: 18, worst: 18 }, { _id: 'red', total: 40.5, n: 2, avg: 20.25, best: 25, worst: 15.5 }]],
    [[{ $group: { _id: null, first: { $first: '$_id' }, last: { $last: '$_id' }, all: { $push: '$points' }, set: { $addToSet: '$team' }, count: { $count: {} } } }],
      [{ _id: null, first: 1, last: 4, all: [25, 18, 15.5, null], set: ['red', 'blue'], count: 4 }]],
    [[{ $group: { _id: { t: '$team', d: { $dayOfMonth: '$at' } }, n: { $sum: 1 } } }, { $sort: { '_id.t': 1, '_id.d': 1 } }],
      [{ _id: { t: 'blue', d: 2 }, n: 1 }, { _id: { t: 'blue', d: 9 }, n: 1 }, { _id: { t: 'red', d: 2 }, n: 1 }, { _id: { t: 'red', d: 9 }, n: 1 }]],
    [[{ $group: { _id: null, top: { $top: { sortBy: { points: -1 }, output: '$driver' } }, two: { $bottomN: { n: 2, sortBy: { points: 1 }, output: '$_id' } }, max2: { $maxN: { n: 2, input: '$points' } }, f: { $firstN: { n: 1, input: '$_id' } } } }],
      [{ _id: null, top: 'ann', two: [2, 1], max2: [25, 18], f: [1] }]],
    [[{ $group: { _id: null, p: { $percentile: { input: '$points', p: [0.5, 1], method: 'approximate' } }, m: { $median: { input: '$points', method: 'approximate' } }, s: { $stdDevPop: '$points' } } }, { $set: { s: { $round: ['$s', 3] } } }],
      [{ _id: null, p: [18, 25], m: 18, s: 4.021 }]],
    [[{ $group: { _id: '$k', n: { $sum: 1 } } }, { $sort: { n: 1 } }], [{ _id: 1, n: 2 }, { _id: null, n: 3 }],
      [{ k: 1 }, { k: new Double(1) }, { k: null }, {}, { k: null }]],
    [[{ $group: { _id: '$a.b', m: { $mergeObjects: '$o' } } }], [{ _id: [1, 2], m: { x: 1 } }], [{ a: [{ b: 1 }, { b: 2 }], o: { x: 1 } }]]
  ])
})

test('$sum keeps numeric types apart', async t => {
  const total = (values: unknown[]) => canonical(run([{ $group: { _id: null, s: { $sum: '$v' } } }], values.map(v => ({ v })))[0]?.s)
  t.same(total([1, 2]), canonical(wire({ v: 3 }).v))
  t.same(total([2147483647, 1]), canonical(Long.fromNumber(2147483648)))
  t.same(total([Long.ONE, 1]), canonical(Long.fromNumber(2)))
  t.same(total([1, new Double(1)]), canonical(new Double(2)))
  t.same(total(Array.from({ length: 10 }, () => 0.1)), canonical(new Double(1)))
  t.same(total([Decimal128.fromString('0.1'), Decimal128.fromString('0.2'), 1]), canonical(Decimal128.fromString('1.3')))
  t.same(total(['x', null]), canonical(wire({ v: 0 }).v))
})

test('$lookup joins by equality or pipeline', async t => {
  const ids = { $project: { j: '$j._id' } }
  check(t, [
    [[{ $lookup: { from: 'drivers', localField: 'driver', foreignField: '_id', as: 'j' } }, ids], [{ _id: 1, j: ['ann'] }, { _id: 2, j: ['bob'] }, { _id: 3, j: ['ann'] }, { _id: 4, j: ['cid'] }]],
    [[{ $lookup: { from: 'drivers', localField: 'cars', foreignField: 'cars', as: 'j' } }, ids], [{ _id: 'ann', j: ['ann', 'cid'] }, { _id: 'bob', j: ['bob', 'cid'] }, { _id: 'cid', j: ['ann', 'bob', 'cid'] }], drivers],
    [[{ $lookup: { from: 'drivers', localField: 'nope', foreignField: 'mentor', as: 'j' } }, { $limit: 1 }, ids], [{ _id: 1, j: ['cid'] }]],
    [[{ $match: { _id: 1 } }, { $lookup: { from: 'drivers', let: { d: '$driver' }, pipeline: [{ $match: { $expr: { $ne: ['$_id', '$$d'] } } }, { $sort: { _id: -1 } }], as: 'j' } }, ids], [{ _id: 1, j: ['cid', 'bob'] }]],
    [[{ $match: { _id: 1 } }, { $lookup: { from: 'drivers', localField: 'driver', foreignField: '_id', pipeline: [{ $project: { country: 1 } }], as: 'j' } }, { $project: { j: 1 } }], [{ _id: 1, j: [{ _id: 'ann', country: 'NL' }] }]],
    [[{ $limit: 1 }, { $lookup: { from: 'empty', pipeline: [], as: 'x.y' } }, { $project: { x: 1 } }], [{ _id: 1, x: { y: [] } }]],
    [[{ $match: { _id: 'ann' } }, { $graphLookup: { from: 'drivers', startWith: '$mentor', connectFromField: 'mentor', connectToField: '_id', as: 'j', depthField: 'depth' } }, { $project: { j: { _id: 1, depth: 1 } } }],
      [{ _id: 'ann', j: [{ _id: 'bob', depth: 0 }, { _id: 'cid', depth: 1 }] }], drivers],
    [[{ $match: { _id: 1 } }, { $project: { _id: 1 } }, { $unionWith: { coll: 'drivers', pipeline: [{ $match: { country: 'UK' } }, { $project: { _id: 1 } }] } }], [{ _id: 1 }, { _id: 'bob' }, { _id: 'cid' }]],
    [[{ $facet: { n: [{ $count: 'n' }], red: [{ $match: { team: 'red' } }, { $project: { _id: 1 } }] } }], [{ n: [{ n: 4 }], red: [{ _id: 1 }, { _id: 3 }] }]]
  ])
})

test('$lookup asks an index where there is one', async t => {
  const asked: unknown[] = []
  const { p } = wire({ p: [{ $limit: 1 }, { $lookup: { from: 'drivers', localField: 'driver', foreignField: '_id', as: 'j' } }] }) as { p: Document[] }
  const [first] = runPipeline(wireList(races), p, {
    resolveCollection: () => {
      t.fail('the whole collection is not needed')
      return []
    },
    findEqual: (from, path, values) => {
      asked.push([from.coll, path, values])
      return wireList(drivers)
    }
  })
  t.same(asked, [['drivers', '_id', ['ann']]])
  t.same(relaxed((first?.j as Document[]).map(doc => doc._id)), ['ann'])
})

test('buckets divide by bounds', async t => {
  const numbers = [1, 2, 5, 7, 9, 20].map(v => ({ v }))
  check(t, [
    [[{ $bucket: { groupBy: '$v', boundaries: [0, 5, 10], default: 'other', output: { n: { $sum: 1 }, vs: { $push: '$v' } } } }], [{ _id: 0, n: 2, vs: [1, 2] }, { _id: 5, n: 3, vs: [5, 7, 9] }, { _id: 'other', n: 1, vs: [20] }], numbers],
    [[{ $bucketAuto: { groupBy: '$v', buckets: 3 } }], [{ _id: { min: 1, max: 5 }, count: 2 }, { _id: { min: 5, max: 9 }, count: 2 }, { _id: { min: 9, max: 20 }, count: 2 }], numbers],
    [[{ $bucketAuto: { groupBy: '$v', buckets: 2, granularity: 'POWERSOF2' } }], [{ _id: { min: 0.5, max: 8 }, count: 4 }, { _id: { min: 8, max: 32 }, count: 2 }], numbers],
    [[{ $bucketAuto: { groupBy: '$v', buckets: 2, granularity: 'R5' } }], [{ _id: { min: 0.63, max: 6.3 }, count: 3 }, { _id: { min: 6.3, max: 25 }, count: 3 }], numbers],
    [[{ $bucketAuto: { groupBy: '$v', buckets: 2, granularity: '1-2-5' } }], [{ _id: { min: 0.5, max: 10 }, count: 5 }, { _id: { min: 10, max: 50 }, count: 1 }], numbers]
  ])
})

test('stages are lazy where they can be', async t => {
  let read = 0
  function * endless (): Iterable<Document> {
    while (true) yield { n: ++read }
  }
  const { p } = wire({ p: [{ $match: { n: { $gt: 2 } } }, { $project: { n: 1 } }, { $limit: 2 }] }) as { p: Document[] }
  t.equal([...runPipeline(endless(), p, { resolveCollection: () => [] })].length, 2)
  t.equal(read, 4)
})

const mistakes: Array<[pipeline: object[], code: number, words: RegExp]> = [
  [[{ $foo: 1 }], 40324, /^Unrecognized pipeline stage name: '\$foo'$/],
  [[{ $match: {}, $limit: 1 }], 40323, /exactly one field/],
  [[{}], 40323, /exactly one field/],
  [[{ $match: 1 }], 15959, /must be an expression in an object/],
  [[{ $limit: 0 }], 15958, /the limit must be positive/],
  [[{ $skip: -1 }], 5107200, /non-negative/],
  [[{ $group: { n: { $sum: 1 } } }], 15955, /must include an _id/],
  [[{ $group: { _id: null, n: 1 } }], 40234, /must be an accumulator object/],
  [[{ $group: { _id: null, n: { $nope: 1 } } }], 15952, /unknown group operator '\$nope'/],
  [[{ $group: { _id: null, n: { $accumulator: {} } } }], 31264, /javascript/],
  [[{ $sort: {} }], 15976, /at least one sort key/],
  [[{ $unwind: 'a' }], 28818, /should be prefixed with a '\$'/],
  [[{ $replaceRoot: { newRoot: '$_id' } }], 40228, /must evaluate to an object/],
  [[{ $project: {} }], 51272, /at least one field/],
  [[{ $lookup: { from: 'x', as: 'y' } }], 9, /requires either 'pipeline' or both/],
  [[{ $facet: { a: [{ $facet: {} }] } }], 40600, /not allowed to be used within a \$facet stage/],
  [[{ $geoNear: {} }], 115, /geospatial/],
  [[{ $project: { a: { $foo: 1 } } }], 168, /Unrecognized expression '\$foo'/],
  [[{ $bucket: { groupBy: '$a', boundaries: [2, 1] } }], 40194, /sorted in ascending order/],
  [[{ $documents: [1] }, { $documents: [] }], 40602, /only valid as the first stage/]
]

test('mistakes in pipelines are told before any document is read', async t => {
  for (const [pipeline, code, words] of mistakes) {
    const error = failure(() => run(pipeline))
    t.equal(error.code, code, JSON.stringify(pipeline))
    t.match(error.message, words)
  }
})

test('let, collation and variables reach every stage', async t => {
  t.same(relaxed(run([{ $match: { $expr: { $eq: ['$driver', '$$who'] } } }, { $project: { x: '$$who' } }], races, { let: wire({ who: 'bob' }) })), [{ _id: 2, x: 'bob' }])
  const insensitive = { collation: { locale: 'en', strength: 2 } }
  t.same(relaxed(run([{ $match: { driver: 'ANN' } }, { $count: 'n' }], races, insensitive)), [{ n: 2 }])
  t.same(relaxed(run([{ $group: { _id: '$s', n: { $sum: 1 } } }], [{ s: 'a' }, { s: 'A' }], insensitive)), [{ _id: 'a', n: 2 }])
})

const match = { $match: { a: 1 } }
const reordered: Array<[given: Document[], expected: Document[] | 'as it is']> = [
  [[{ $sort: { b: 1 } }, match], [match, { $sort: { b: 1 } }]],
  [[{ $project: { b: { $add: ['$a', 1] } } }, match], 'as it is'],
  [[{ $project: { a: 1, 'c.d': 1 } }, match], [match, { $project: { a: 1, 'c.d': 1 } }]],
  [[{ $project: { 'a.b': 1 } }, match], 'as it is'],
  [[{ $project: { b: 0 } }, match], [match, { $project: { b: 0 } }]],
  [[{ $project: { _id: 0 } }, { $match: { _id: 1 } }], 'as it is'],
  [[{ $project: { b: 1 } }, match], 'as it is'],
  [[{ $set: { 'a.b': 1 } }, match], 'as it is'],
  [[{ $set: { b: 1 } }, { $unset: 'c' }, { $match: { $or: [{ a: 1 }, { 'd.e': 2 }] } }], [{ $match: { $or: [{ a: 1 }, { 'd.e': 2 }] } }, { $set: { b: 1 } }, { $unset: 'c' }]],
  [[{ $set: { b: 1 } }, { $match: { $expr: { $eq: ['$a', '$b'] } } }], 'as it is'],
  [[{ $unwind: { path: '$b', includeArrayIndex: 'i' } }, match], [match, { $unwind: { path: '$b', includeArrayIndex: 'i' } }]],
  [[{ $unwind: '$a.b' }, match], 'as it is'],
  [[{ $lookup: { from: 'x', pipeline: [], as: 'j' } }, match, { $limit: 2 }], [match, { $limit: 2 }, { $lookup: { from: 'x', pipeline: [], as: 'j' } }]],
  [[{ $limit: 2 }, match], 'as it is'],
  [[{ $group: { _id: '$a' } }, match], 'as it is'],
  [[{ $sort: { a: 1 } }, { $project: { a: 1 } }, { $skip: 1 }, { $limit: 2 }], [{ $sort: { a: 1 } }, { $skip: 1 }, { $limit: 2 }, { $project: { a: 1 } }]]
]

test('stages move forward only where nothing changes', async t => {
  for (const [given, expected] of reordered) {
    t.same(optimizePipeline(given), expected === 'as it is' ? given : expected, JSON.stringify(given))
  }
})
