import { Decimal128, Double, Long, ObjectId, Timestamp } from 'bson'
import { test } from 'tap'
import { compileUpdate, updateDescription, type Document } from '../../../src/embedded-mongo/semantics/index.js'
import { canonical, failure, relaxed, wire } from './helpers.js'

interface Options { filter?: object, arrayFilters?: object[], collation?: { locale: string, strength: number }, now?: Date }

function compile (update: object, { filter, arrayFilters, ...rest }: Options = {}) {
  const { u } = wire({ u: update }) as { u: Document | Document[] }
  return compileUpdate(u, {
    ...rest,
    ...(filter === undefined ? {} : { filter: wire(filter) }),
    ...(arrayFilters === undefined ? {} : { arrayFilters: arrayFilters.map(wire) })
  })
}

type Row = [update: object, before: object, after: object, options?: Options]

const rows: Row[] = [
  // Fields
  [{ $set: { a: 1 } }, {}, { a: 1 }],
  [{ $set: { 'a.b.c': 1 } }, {}, { a: { b: { c: 1 } } }],
  [{ $set: { 'a.b': 1 } }, { a: { c: 2 } }, { a: { c: 2, b: 1 } }],
  [{ $set: { 'a.1': 9 } }, { a: [1, 2] }, { a: [1, 9] }],
  [{ $set: { 'a.3': 9 } }, { a: [1] }, { a: [1, null, null, 9] }],
  [{ $set: { 'a.0.b': 9 } }, { a: [{ b: 1 }] }, { a: [{ b: 9 }] }],
  [{ $set: { 'a.0': 9 } }, { a: {} }, { a: { 0: 9 } }],
  [{ $set: { z: 1, b: 2, 'a.y': 3 } }, {}, { a: { y: 3 }, b: 2, z: 1 }],
  [{ $set: { 'a.10': 1, 'a.9': 2 } }, { a: {} }, { a: { 9: 2, 10: 1 } }],
  [{ $unset: { a: '', 'b.c': 1, 'd.0': '', q: '' } }, { a: 1, b: { c: 1, d: 2 }, d: [1, 2] }, { b: { d: 2 }, d: [null, 2] }],
  [{ $unset: { 'a.b': 1 } }, { a: 5 }, { a: 5 }],
  [{ $rename: { a: 'b.c' } }, { a: 1, x: 2 }, { x: 2, b: { c: 1 } }],
  [{ $rename: { a: 'b' } }, { a: 1, b: 2 }, { b: 1 }],
  [{ $rename: { a: 'b' } }, { b: 2 }, { b: 2 }],
  [{ $setOnInsert: { a: 1 } }, { b: 1 }, { b: 1 }],
  [{ $set: {} }, { a: 1 }, { a: 1 }],
  // Numbers
  [{ $inc: { a: 2, b: 1 } }, { a: 1 }, { a: 3, b: 1 }],
  [{ $inc: { a: 1.5 } }, { a: 1 }, { a: 2.5 }],
  [{ $inc: { a: 1 } }, { a: 2147483647 }, { a: Long.fromNumber(2147483648) }],
  [{ $inc: { a: 1 } }, { a: Long.ONE }, { a: Long.fromNumber(2) }],
  [{ $inc: { a: Decimal128.fromString('0.1') } }, { a: 1 }, { a: Decimal128.fromString('1.1') }],
  [{ $inc: { a: 1 } }, { a: new Double(1) }, { a: new Double(2) }],
  [{ $mul: { a: 2, b: 5, c: Long.ONE } }, { a: 3 }, { a: 6, b: 0, c: Long.ZERO }],
  [{ $mul: { a: 2147483647 } }, { a: 2147483647 }, { a: Long.fromBigInt(2147483647n ** 2n) }],
  [{ $min: { a: 1, b: 9, c: 3 } }, { a: 5, b: 5 }, { a: 1, b: 5, c: 3 }],
  [{ $max: { a: 1, b: 9, c: 'x' } }, { a: 5, b: 5, c: 100 }, { a: 5, b: 9, c: 'x' }],
  [{ $bit: { a: { and: 10 }, b: { or: 5 }, c: { xor: 3 } } }, { a: 13, c: 1 }, { a: 8, c: 2, b: 5 }],
  [{ $bit: { a: { or: Long.fromNumber(1) } } }, { a: 2 }, { a: Long.fromNumber(3) }],
  [{ $currentDate: { a: true, b: { $type: 'date' }, c: { $type: 'timestamp' } } }, {}, { a: new Date(5000), b: new Date(5000), c: new Timestamp({ t: 5, i: 1 }) }, { now: new Date(5000) }],
  // Arrays
  [{ $push: { a: 1 } }, {}, { a: [1] }],
  [{ $push: { a: [1] } }, { a: [0] }, { a: [0, [1]] }],
  [{ $push: { a: { $each: [3, 4] } } }, { a: [1] }, { a: [1, 3, 4] }],
  [{ $push: { a: { $each: [9], $position: 1 } } }, { a: [1, 2] }, { a: [1, 9, 2] }],
  [{ $push: { a: { $each: [9], $position: -1 } } }, { a: [1, 2] }, { a: [1, 9, 2] }],
  [{ $push: { a: { $each: [], $slice: -2 } } }, { a: [1, 2, 3] }, { a: [2, 3] }],
  [{ $push: { a: { $each: [2], $sort: -1, $slice: 2 } } }, { a: [1, 3] }, { a: [3, 2] }],
  [{ $push: { a: { $each: [{ s: 1 }], $sort: { s: 1 } } } }, { a: [{ s: 2 }, { s: 0 }] }, { a: [{ s: 0 }, { s: 1 }, { s: 2 }] }],
  [{ $push: { a: { $each: [1], $slice: 0 } } }, { a: [1] }, { a: [] }],
  [{ $addToSet: { a: 1 } }, { a: [new Double(1)] }, { a: [new Double(1)] }],
  [{ $addToSet: { a: { $each: [1, 2, 2] } } }, { a: [1] }, { a: [1, 2] }],
  [{ $addToSet: { a: { x: 1 } } }, { a: [{ x: 1, y: 2 }] }, { a: [{ x: 1, y: 2 }, { x: 1 }] }],
  [{ $addToSet: { a: 'X' } }, { a: ['x'] }, { a: ['x'] }, { collation: { locale: 'en', strength: 2 } }],
  [{ $pop: { a: 1, b: -1, c: 1 } }, { a: [1, 2], b: [1, 2] }, { a: [1], b: [2] }],
  [{ $pull: { a: 1 } }, { a: [1, 2, 1] }, { a: [2] }],
  [{ $pull: { a: { $gte: 2 } } }, { a: [1, 2, 3] }, { a: [1] }],
  [{ $pull: { a: { b: 1, c: { $gt: 1 } } } }, { a: [{ b: 1, c: 2 }, { b: 1, c: 1 }, 5] }, { a: [{ b: 1, c: 1 }, 5] }],
  [{ $pull: { a: { $in: ['x', 'y'] } } }, { a: ['x', 'z'] }, { a: ['z'] }],
  [{ $pull: { a: /^x/ } }, { a: ['xa', 'bx'] }, { a: ['bx'] }],
  [{ $pull: { 'a.b': 1 } }, { a: { b: [1, 2] } }, { a: { b: [2] } }],
  [{ $pull: { a: { b: { $elemMatch: { q: 1 } } } } }, { a: [{ b: [{ q: 1 }] }, { b: [{ q: 2 }] }] }, { a: [{ b: [{ q: 2 }] }] }],
  [{ $pullAll: { a: [1, { x: 1 }] } }, { a: [1, 2, { x: 1 }, { x: 1, y: 1 }] }, { a: [2, { x: 1, y: 1 }] }],
  // Positional operators
  [{ $set: { 'a.$': 9 } }, { a: [1, 2, 3] }, { a: [1, 9, 3] }, { filter: { a: 2 } }],
  [{ $set: { 'a.$.c': 9 } }, { a: [{ b: 1 }, { b: 2 }] }, { a: [{ b: 1 }, { b: 2, c: 9 }] }, { filter: { a: { $elemMatch: { b: { $gt: 1 } } } } }],
  [{ $inc: { 'g.$.n': 1 } }, { x: 1, g: [{ k: 'a', n: 0 }, { k: 'b', n: 5 }] }, { x: 1, g: [{ k: 'a', n: 0 }, { k: 'b', n: 6 }] }, { filter: { x: 1, 'g.k': 'b' } }],
  [{ $inc: { 'a.$[]': 1 } }, { a: [1, 2] }, { a: [2, 3] }],
  [{ $set: { 'a.$[].b': 0 } }, { a: [{ b: 1 }, {}] }, { a: [{ b: 0 }, { b: 0 }] }],
  [{ $set: { 'a.$[x]': 0 } }, { a: [1, 5, 9] }, { a: [1, 0, 0] }, { arrayFilters: [{ x: { $gte: 5 } }] }],
  [{ $set: { 'a.$[x].b.$[y]': 0 } }, { a: [{ k: 1, b: [1, 2] }, { k: 2, b: [2] }] }, { a: [{ k: 1, b: [1, 0] }, { k: 2, b: [2] }] }, { arrayFilters: [{ 'x.k': 1 }, { y: 2 }] }],
  [{ $set: { 'a.$[x].b': 0 } }, { a: [{ k: 1 }, { k: 2 }] }, { a: [{ k: 1, b: 0 }, { k: 2, b: 0 }] }, { arrayFilters: [{ $or: [{ 'x.k': 1 }, { 'x.k': 2 }] }] }],
  [{ $unset: { 'a.$[].b': '' } }, { a: [{ b: 1, c: 1 }] }, { a: [{ c: 1 }] }],
  [{ $push: { 'a.$[].b': 1 } }, { a: [{ b: [0] }, {}] }, { a: [{ b: [0, 1] }, { b: [1] }] }],
  // Replacements and pipelines
  [{ x: 1 }, { a: 1 }, { x: 1 }],
  [{}, { a: 1 }, {}],
  [[{ $set: { total: { $add: ['$a', '$b'] } } }, { $unset: 'b' }], { a: 1, b: 2 }, { a: 1, total: 3 }],
  [[{ $replaceWith: { $mergeObjects: ['$$ROOT', { n: 1 }] } }], { a: 1 }, { a: 1, n: 1 }],
  [[{ $set: { 'a.b': '$$REMOVE', at: '$$NOW' } }], { a: { b: 1, c: 2 } }, { a: { c: 2 }, at: new Date(5000) }, { now: new Date(5000) }]
]

test('updates change documents as the manual says', async t => {
  for (const [update, before, after, options] of rows) {
    const stored = wire({ _id: 7, ...before })
    const untouched = canonical(stored)
    const { apply } = compile(update, options)
    t.same(canonical(apply(stored)), canonical(wire({ _id: 7, ...after })), JSON.stringify(update))
    t.same(Object.keys(apply(stored)), Object.keys(wire({ _id: 7, ...after })), `field order of ${JSON.stringify(update)}`)
    t.same(canonical(stored), untouched, 'the argument stays as it was')
  }
})

test('an update that changes nothing returns its argument', async t => {
  const stored = wire({ _id: 1, a: 1, b: [1, { c: 2 }], d: new Date(1) })
  for (const update of [{ $set: { a: 1, b: [1, { c: 2 }] } }, { $min: { a: 5 } }, { $addToSet: { b: 1 } }, { $pull: { b: 9 } }, { $unset: { q: 1 } }, { $setOnInsert: { z: 1 } }, { $inc: { a: 0 } }, { a: 1, b: [1, { c: 2 }], d: new Date(1) }, [{ $set: { a: 1 } }]]) {
    t.equal(compile(update).apply(stored), stored, JSON.stringify(update))
  }
  t.not(compile({ $set: { a: new Double(1) } }).apply(stored), stored, 'another type is a change')
})

const upserts: Array<[update: object, filter: object, inserted: object]> = [
  [{ $set: { b: 1 }, $setOnInsert: { c: 2 } }, { a: 5 }, { a: 5, b: 1, c: 2 }],
  [{ $set: { b: 1 } }, { _id: 9, 'x.y': { $eq: 2 }, z: { $gt: 1 } }, { _id: 9, x: { y: 2 }, b: 1 }],
  [{ $inc: { n: 1 } }, { $and: [{ a: 1 }, { b: { $in: [2] } }] }, { a: 1, b: 2, n: 1 }],
  [{ $set: { a: 2 } }, { a: 1 }, { a: 2 }],
  [{ $push: { t: 1 } }, { $or: [{ a: 1 }] }, { a: 1, t: [1] }],
  [{ $set: { a: 1 } }, { $or: [{ b: 1 }, { b: 2 }] }, { a: 1 }],
  [{ x: 1 }, { a: 5, _id: 3 }, { _id: 3, x: 1 }],
  [{ x: 1, _id: 4 }, { a: 5 }, { _id: 4, x: 1 }],
  [[{ $set: { n: { $add: ['$a', 1] } } }], { a: 1 }, { a: 1, n: 2 }],
  [{ $setOnInsert: { _id: 5 }, $set: { a: 1 } }, { b: 2 }, { _id: 5, b: 2, a: 1 }]
]

test('upserts start from the equalities of the filter', async t => {
  for (const [update, filter, inserted] of upserts) {
    const doc = compile(update, { filter }).upsertDocument()
    t.same(canonical(doc), canonical(wire(inserted)), JSON.stringify([filter, update]))
    t.same(Object.keys(doc), Object.keys(inserted))
  }
})

const mistakes: Array<[update: object, before: object, code: number, words: RegExp, options?: Options]> = [
  [{ $set: { _id: 8 } }, {}, 66, /^Performing an update on the path '_id' would modify the immutable field '_id'$/],
  [{ $unset: { _id: 1 } }, {}, 66, /immutable field '_id'/],
  [{ _id: 8 }, {}, 66, /the \(immutable\) field '_id' was found to have been altered to _id: 8/],
  [[{ $set: { _id: 8 } }], {}, 66, /altered to _id: 8/],
  [{ $set: { a: 1 }, $inc: { a: 1 } }, {}, 40, /^Updating the path 'a' would create a conflict at 'a'$/],
  [{ $set: { 'a.b': 1, a: 1 } }, {}, 40, /would create a conflict at 'a'/],
  [{ $rename: { a: 'b' }, $set: { b: 1 } }, {}, 40, /conflict at 'b'/],
  [{ $foo: { a: 1 } }, {}, 9, /^Unknown modifier: \$foo\. Expected a valid update modifier or pipeline-style update specified as an array$/],
  [{ $set: 5 }, {}, 9, /^Modifiers operate on fields but we found type int instead/],
  [{ $set: { a: 1 }, b: 1 }, {}, 9, /Unknown modifier: b/],
  [{ a: 1, $set: { b: 1 } }, {}, 52, /dollar \(\$\) prefixed field '\$set'/],
  [{ $set: { '': 1 } }, {}, 56, /empty update path/],
  [{ $set: { 'a..b': 1 } }, {}, 56, /contains an empty field name/],
  [{ $inc: { a: 'x' } }, {}, 14, /^Cannot increment with non-numeric argument: \{a: "x"\}$/],
  [{ $inc: { a: 1 } }, { a: 'x' }, 14, /^Cannot apply \$inc to a value of non-numeric type\. \{_id: 7\} has the field 'a' of non-numeric type string$/],
  [{ $inc: { a: 1 } }, { a: null }, 14, /non-numeric type null/],
  [{ $inc: { a: 1 } }, { a: Long.MAX_VALUE }, 2, /^Failed to apply \$inc operations to current value \(\(NumberLong\)9223372036854775807\)/],
  [{ $set: { 'a.b': 1 } }, { a: 5 }, 28, /^Cannot create field 'b' in element \{a: 5\}$/],
  [{ $set: { 'a.b': 1 } }, { a: [1] }, 28, /Cannot create field 'b' in element/],
  [{ $push: { a: 1 } }, { a: 5 }, 2, /^The field 'a' must be an array but is of type int in document \{_id: 7\}$/],
  [{ $push: { a: { $each: 5 } } }, {}, 2, /\$each in \$push must be an array/],
  [{ $push: { a: { $each: [], $foo: 1 } } }, {}, 2, /Unrecognized clause in \$push: \$foo/],
  [{ $addToSet: { a: 1 } }, { a: 5 }, 2, /Cannot apply \$addToSet to non-array field/],
  [{ $pull: { a: 1 } }, { a: 5 }, 2, /Cannot apply \$pull to a non-array value/],
  [{ $pullAll: { a: 1 } }, {}, 2, /requires an array argument but was given a int/],
  [{ $pop: { a: 2 } }, { a: [] }, 9, /\$pop expects 1 or -1, found: 2/],
  [{ $pop: { a: 1 } }, { a: 5 }, 14, /contains an element of non-array type 'int'/],
  [{ $bit: { a: { or: 1 } } }, { a: 1.5 }, 2, /non-integral type/],
  [{ $set: { 'a.$': 1 } }, { a: [1] }, 2, /^The positional operator did not find the match needed from the query\.$/],
  [{ $set: { 'a.$[x]': 1 } }, { a: [1] }, 2, /^No array filter found for identifier 'x' in path 'a\.\$\[x\]'$/],
  [{ $set: { a: 1 } }, {}, 9, /The array filter for identifier 'x' was not used in the update/, { arrayFilters: [{ x: 1 }] }],
  [{ $set: { 'a.$[]': 1 } }, { a: 5 }, 2, /Cannot apply array updates to non-array element a: 5/],
  [{ $set: { 'a.$[]': 1 } }, {}, 2, /The path 'a' must exist in the document in order to apply array updates/],
  [{ $rename: { a: 'a' } }, {}, 2, /source and target field for \$rename must differ/],
  [{ $rename: { 'a.0': 'b' } }, { a: [1] }, 2, /source field cannot be an array element/],
  [[{ $match: {} }], {}, 72, /not allowed to be used within an update/],
  [{ $set: { 'a.2000000': 1 } }, { a: [] }, 2, /can't backfill/]
]

test('mistakes in updates are told in the server\'s words', async t => {
  for (const [update, before, code, words, options] of mistakes) {
    const error = failure(() => compile(update, options).apply(wire({ _id: 7, ...before })))
    t.equal(error.code, code, JSON.stringify(update))
    t.match(error.message, words)
  }
})

const descriptions: Array<[update: object, before: object, updated: object, removed: string[], truncated?: object[]]> = [
  [{ $set: { a: { b: 1 } } }, { a: { b: 0, c: 0 } }, { a: { b: 1 } }, []],
  [{ $set: { 'a.b': 1 } }, { a: { b: 0, c: 0 } }, { 'a.b': 1 }, []],
  [{ $set: { 'a.b.c': 1 } }, { x: 1 }, { a: { b: { c: 1 } } }, []],
  [{ $unset: { a: 1, 'b.c': 1, zz: 1 } }, { a: 1, b: { c: 1, d: 1 } }, {}, ['a', 'b.c']],
  [{ $push: { a: 3 } }, { a: [1, 2] }, { 'a.2': 3 }, []],
  [{ $pull: { a: 1 } }, { a: [1, 2] }, { a: [2] }, []],
  [{ $set: { 'a.$[].b': 1 } }, { a: [{ b: 0 }, { b: 1 }] }, { 'a.0.b': 1 }, []],
  [{ $rename: { a: 'b' } }, { a: 1 }, { b: 1 }, ['a']],
  [[{ $set: { n: 1, 'm.x': 2 } }, { $unset: 'o' }], { m: { x: 1, y: 1 }, o: 1 }, { 'm.x': 2, n: 1 }, ['o']],
  [[{ $set: { a: { $slice: ['$a', 2] } } }], { a: [1, 2, 3] }, {}, [], [{ field: 'a', newSize: 2 }]]
]

test('update descriptions name what changed', async t => {
  for (const [update, before, updated, removed, truncated = []] of descriptions) {
    const stored = wire({ _id: 1, ...before })
    const { updatedFields, removedFields, truncatedArrays } = updateDescription(stored, compile(update).apply(stored))
    t.same(relaxed(updatedFields), updated, JSON.stringify(update))
    t.same(removedFields, removed)
    t.same(truncatedArrays, truncated)
  }
})

test('an _id of any type may be set to itself', async t => {
  const _id = new ObjectId()
  const stored = wire({ _id, a: 1 })
  t.equal(compile({ $set: { _id, a: 1 } }).apply(stored), stored)
  t.same(relaxed(compile({ _id, a: 2 }).apply(stored).a), 2)
})
