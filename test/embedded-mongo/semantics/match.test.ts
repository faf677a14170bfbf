import { Binary, BSONRegExp, BSONSymbol, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId } from 'bson'
import { test, type Test } from 'tap'
import { compileFilter } from '../../../src/embedded-mongo/semantics/index.js'
import { failure, wire } from './helpers.js'

type Row = [filter: object, matching: object[], others: object[]]

function check (t: Test, rows: Row[], options: { collation?: { locale: string, strength: number } } = {}): void {
  for (const [filter, matching, others] of rows) {
    const matches = compileFilter(wire(filter), options)
    for (const doc of matching) t.equal(matches(wire(doc)), true, `${JSON.stringify(filter)} matches ${JSON.stringify(doc)}`)
    for (const doc of others) t.equal(matches(wire(doc)), false, `${JSON.stringify(filter)} does not match ${JSON.stringify(doc)}`)
  }
}

const id = new ObjectId('65f0c0ffee65f0c0ffee6500')

test('equality follows types, arrays and paths', async t => {
  check(t, [
    [{ a: 1 }, [{ a: 1 }, { a: new Double(1) }, { a: Long.ONE }, { a: Decimal128.fromString('1.0') }, { a: [2, 1] }], [{ a: 2 }, { a: '1' }, { a: [[1]] }, {}]],
    [{ a: 'x' }, [{ a: 'x' }, { a: new BSONSymbol('x') }, { a: ['y', 'x'] }], [{ a: 'X' }, { a: null }]],
    [{ a: true }, [{ a: true }], [{ a: 1 }, { a: false }]],
    [{ a: id }, [{ a: id }, { a: [id] }], [{ a: new ObjectId() }, { a: id.toHexString() }]],
    [{ a: new Date(5) }, [{ a: new Date(5) }], [{ a: 5 }]],
    [{ a: NaN }, [{ a: NaN }, { a: Decimal128.fromString('NaN') }], [{ a: 1 }]],
    [{ a: [1, 2] }, [{ a: [1, 2] }, { a: [[1, 2], 3] }], [{ a: [2, 1] }, { a: [1, 2, 3] }, { a: 1 }]],
    [{ a: { b: 1, c: 2 } }, [{ a: { b: 1, c: 2 } }, { a: [{ b: 1, c: 2 }] }], [{ a: { c: 2, b: 1 } }, { a: { b: 1 } }]],
    [{ a: new Binary(Buffer.from('x')) }, [{ a: new Binary(Buffer.from('x')) }], [{ a: new Binary(Buffer.from('x'), 5) }]],
    [{ 'a.b': 1 }, [{ a: { b: 1 } }, { a: [{ b: 2 }, { b: 1 }] }, { a: { b: [0, 1] } }], [{ a: { b: 2 } }, { a: 1 }, { 'a.b': 1 }, { a: [[{ b: 1 }]] }]],
    [{ 'a.0': 1 }, [{ a: [1, 2] }, { a: { 0: 1 } }, { a: [{ 0: 1 }] }], [{ a: [2, 1] }, { a: 1 }]],
    [{ 'a.1.b': 1 }, [{ a: [0, { b: 1 }] }], [{ a: [{ b: 1 }, 0] }]],
    [{ constructor: 1 }, [{ constructor: 1 }], [{}]]
  ])
})

// The expectations for null are those of the server's own null query semantics: arrays without documents don't count as missing.
test('null matches missing, but not inside scalar arrays', async t => {
  check(t, [
    [{ a: null }, [{ a: null }, {}, { a: [null] }], [{ a: 0 }, { a: [] }, { a: [1] }]],
    [{ 'a.b': null }, [{ a: { b: null } }, { a: {} }, { a: null }, { a: 4 }, {}, { a: [{ b: 1 }, {}] }], [{ a: [] }, { a: [1, 2] }, { a: [{ b: 1 }] }, { a: { b: 1 } }]],
    [{ a: { $ne: null } }, [{ a: 0 }, { a: [] }], [{}, { a: null }, { a: [1, null] }]],
    [{ 'a.b': { $exists: false } }, [{ a: [1] }, { a: [] }, { a: {} }, {}], [{ a: { b: null } }, { a: [{ b: 1 }, {}] }]],
    [{ a: { $in: [null, 1] } }, [{}, { a: null }, { a: 1 }], [{ a: 2 }]],
    [{ a: { $gte: null } }, [{}, { a: null }], [{ a: 1 }]],
    [{ a: { $gt: null } }, [], [{}, { a: null }, { a: 1 }]],
    [{ a: { $not: { $gt: 5 } } }, [{}, { a: null }, { a: 5 }, { a: 'x' }], [{ a: 6 }, { a: [1, 6] }]]
  ])
})

test('order comparisons stay within one type', async t => {
  check(t, [
    [{ a: { $gt: 5 } }, [{ a: 6 }, { a: Long.fromNumber(6) }, { a: Decimal128.fromString('5.1') }, { a: Infinity }, { a: [1, 9] }], [{ a: 5 }, { a: 'z' }, { a: NaN }, { a: null }, {}]],
    [{ a: { $lt: 5 } }, [{ a: 4.9 }, { a: -Infinity }], [{ a: NaN }, { a: null }, {}, { a: 5 }]],
    [{ a: { $gte: NaN } }, [{ a: NaN }], [{ a: 1 }]],
    [{ a: { $gt: Long.fromBigInt(2n ** 53n) } }, [{ a: Long.fromBigInt(2n ** 53n + 1n) }], [{ a: 2 ** 53 }]],
    [{ a: { $gt: 'b' } }, [{ a: 'c' }], [{ a: 'B' }, { a: 3 }]],
    [{ a: { $gte: new Date(5) } }, [{ a: new Date(5) }], [{ a: new Date(4) }, { a: 9 }]],
    [{ a: { $lt: true } }, [{ a: false }], [{ a: true }, { a: 0 }]],
    [{ a: { $gt: { b: 1 } } }, [{ a: { b: 2 } }], [{ a: { b: 0 } }, { a: 3 }]],
    [{ a: { $gt: [1] } }, [{ a: [2] }, { a: [1, 0] }], [{ a: [0, 5] }, { a: 5 }]],
    [{ a: { $gt: 1, $lt: 3 } }, [{ a: 2 }, { a: [0, 9] }], [{ a: 1 }, { a: [0, 0] }]],
    [{ a: { $gte: new MinKey() } }, [{ a: 1 }, { a: 'x' }, { a: new MinKey() }], []],
    [{ a: { $lt: new MaxKey() } }, [{ a: 1 }, { a: 'x' }], [{ a: new MaxKey() }]]
  ])
})

test('logical and list operators combine conditions', async t => {
  check(t, [
    [{}, [{}, { a: 1 }], []],
    [{ $and: [{ a: 1 }, { b: 2 }] }, [{ a: 1, b: 2 }], [{ a: 1 }]],
    [{ $or: [{ a: 1 }, { b: 2 }] }, [{ a: 1 }, { b: 2 }], [{ c: 1 }]],
    [{ $nor: [{ a: 1 }, { b: 2 }] }, [{}], [{ a: 1 }, { b: 2 }]],
    [{ a: { $ne: 1 } }, [{ a: 2 }, {}, { a: [2] }], [{ a: 1 }, { a: [2, 1] }]],
    [{ a: { $in: [1, 'x', id, [5]] } }, [{ a: 1.0 }, { a: 'x' }, { a: id }, { a: [5] }, { a: ['x'] }], [{ a: 5 }, {}]],
    [{ a: { $in: [/^x/i, 3] } }, [{ a: 'Xy' }, { a: 3 }, { a: ['q', 'xx'] }], [{ a: 'yx' }]],
    [{ a: { $in: [] } }, [], [{ a: 1 }, {}]],
    [{ a: { $nin: [1, null] } }, [{ a: 2 }, { a: [] }], [{ a: 1 }, {}, { a: [3, 1] }]],
    [{ a: { $not: /x/ } }, [{ a: 'y' }, {}, { a: 1 }], [{ a: 'ax' }]],
    [{ a: { $not: { $gt: 1, $lt: 5 } } }, [{ a: 5 }, {}], [{ a: 3 }]],
    [{ $comment: 'why', a: 1 }, [{ a: 1 }], [{ a: 2 }]]
  ])
})

test('element operators look at types and presence', async t => {
  check(t, [
    [{ a: { $exists: true } }, [{ a: null }, { a: [] }], [{}]],
    [{ a: { $exists: 0 } }, [{}], [{ a: null }]],
    [{ a: { $type: 'int' } }, [{ a: 1 }, { a: ['x', 1] }], [{ a: 1.5 }, { a: new Double(1) }, {}]],
    [{ a: { $type: 'number' } }, [{ a: 1.5 }, { a: Long.ONE }, { a: Decimal128.fromString('1') }], [{ a: '1' }]],
    [{ a: { $type: [2, 'bool'] } }, [{ a: 'x' }, { a: false }], [{ a: 1 }]],
    [{ a: { $type: 'array' } }, [{ a: [] }, { a: [1] }], [{ a: 1 }]],
    [{ a: { $type: -1 } }, [{ a: new MinKey() }], [{ a: 1 }]]
  ])
})

test('array operators look at elements', async t => {
  check(t, [
    [{ a: { $size: 2 } }, [{ a: [1, 2] }], [{ a: [1] }, { a: 2 }, { a: [[1, 2]] }]],
    [{ a: { $all: [1, 2] } }, [{ a: [2, 3, 1] }], [{ a: [1] }, { a: 1 }]],
    [{ a: { $all: [1] } }, [{ a: 1 }, { a: [1] }], [{ a: 2 }]],
    [{ a: { $all: [] } }, [], [{ a: [] }, { a: 1 }]],
    [{ a: { $all: [[1, 2]] } }, [{ a: [1, 2] }, { a: [[1, 2]] }], [{ a: [2, 1] }]],
    [{ a: { $all: [{ $elemMatch: { x: 1 } }, { $elemMatch: { x: 2 } }] } }, [{ a: [{ x: 1 }, { x: 2 }] }], [{ a: [{ x: 1 }] }]],
    [{ a: { $elemMatch: { $gt: 1, $lt: 3 } } }, [{ a: [0, 2] }], [{ a: [0, 9] }, { a: 2 }, { a: [[2]] }]],
    [{ a: { $elemMatch: { b: 1, c: 2 } } }, [{ a: [{ b: 0 }, { b: 1, c: 2 }] }], [{ a: [{ b: 1 }, { c: 2 }] }, { a: { b: 1, c: 2 } }]],
    [{ a: { $elemMatch: { $or: [{ b: 1 }, { c: 2 }] } } }, [{ a: [{ c: 2 }] }], [{ a: [{ d: 1 }] }]],
    [{ a: { $elemMatch: { $elemMatch: { $eq: 1 } } } }, [{ a: [[2, 1]] }], [{ a: [1] }]],
    [{ a: { $elemMatch: { $nin: [1] } } }, [{ a: [1, 2] }], [{ a: [1] }]],
    [{ 'a.b': { $elemMatch: { $eq: 1 } } }, [{ a: { b: [1] } }, { a: [{ b: [1] }] }], [{ a: { b: 1 } }]]
  ])
})

test('evaluation operators compute from the value', async t => {
  check(t, [
    [{ a: { $mod: [4, 1] } }, [{ a: 5 }, { a: 5.9 }, { a: Long.fromNumber(9) }, { a: [4, 5] }], [{ a: 4 }, { a: '5' }, { a: NaN }]],
    [{ a: { $mod: [4, -1] } }, [{ a: -5 }], [{ a: 5 }]],
    [{ a: { $regex: '^ab', $options: 'i' } }, [{ a: 'ABc' }, { a: ['x', 'aB'] }, { a: new BSONRegExp('^ab', 'i') }], [{ a: 'cab' }, { a: 1 }]],
    [{ a: { $regex: 'a b # c', $options: 'x' } }, [{ a: 'xaby' }], [{ a: 'a b' }]],
    [{ a: { $regex: '^.$', $options: 's' } }, [{ a: '\n' }, { a: '\u{1f3ce}' }], [{ a: 'ab' }]],
    [{ a: { $regex: '(?i)^b', $options: 'm' } }, [{ a: 'a\nB' }], [{ a: 'ab' }]],
    [{ a: { $regex: '^[[:alpha:]]+\\z' } }, [{ a: 'abc' }], [{ a: 'ab1' }]],
    [{ $expr: { $gt: ['$a', '$b'] } }, [{ a: 2, b: 1 }, { a: 'x', b: 1 }], [{ a: 1, b: 2 }]],
    [{ $expr: '$a' }, [{ a: 1 }, { a: 'x' }], [{ a: 0 }, { a: null }, {}]]
  ])
})

test('bit operators test numbers and binary data', async t => {
  check(t, [
    [{ a: { $bitsAllSet: 5 } }, [{ a: 7 }, { a: -1 }, { a: Long.fromNumber(5) }, { a: 5.0 }], [{ a: 4 }, { a: 5.5 }, { a: '7' }]],
    [{ a: { $bitsAllSet: [0, 2] } }, [{ a: 5 }], [{ a: 1 }]],
    [{ a: { $bitsAnySet: 6 } }, [{ a: 2 }], [{ a: 1 }]],
    [{ a: { $bitsAllClear: 6 } }, [{ a: 1 }, { a: 9 }], [{ a: 2 }]],
    [{ a: { $bitsAnyClear: 6 } }, [{ a: 2 }], [{ a: 7 }]],
    [{ a: { $bitsAllSet: new Binary(Buffer.from([0, 1])) } }, [{ a: 256 }, { a: new Binary(Buffer.from([0, 3])) }], [{ a: 255 }]],
    [{ a: { $bitsAllSet: [100] } }, [{ a: -1 }], [{ a: 1 }]]
  ])
})

test('$jsonSchema validates as document validators need', async t => {
  const schema = {
    $jsonSchema: {
      bsonType: 'object',
      required: ['name', 'year'],
      properties: {
        name: { bsonType: 'string', minLength: 2, pattern: '^[A-Z]' },
        year: { bsonType: ['int', 'long'], minimum: 1900, maximum: 2100, exclusiveMaximum: true },
        tags: { bsonType: 'array', uniqueItems: true, maxItems: 2, items: { enum: ['a', 'b', 'c'] } },
        pos: { type: 'object', properties: { x: { type: 'number' } }, additionalProperties: false }
      }
    }
  }
  check(t, [[schema,
    [{ name: 'Ann', year: 2000 }, { name: 'Ann', year: 2000, tags: ['a', 'b'], pos: { x: 1.5 }, more: 1 }],
    [{ name: 'Ann' }, { name: 'ann', year: 2000 }, { name: 'A', year: 2000 }, { name: 'Ann', year: 2100 }, { name: 'Ann', year: 2000.5 }, { name: 'Ann', year: 2000, tags: ['a', 'a'] }, { name: 'Ann', year: 2000, tags: ['z'] }, { name: 'Ann', year: 2000, pos: { y: 1 } }]
  ], [{ $jsonSchema: { oneOf: [{ required: ['a'] }, { required: ['b'] }], not: { required: ['c'] } } }, [{ a: 1 }, { b: 1 }], [{ a: 1, b: 1 }, { a: 1, c: 1 }, {}]]])
})

test('collation makes equality ignore case', async t => {
  check(t, [
    [{ a: 'ping' }, [{ a: 'PING' }, { a: ['x', 'Ping'] }], [{ a: 'pong' }]],
    [{ a: { $in: ['ping'] } }, [{ a: 'PING' }], [{ a: 'pong' }]],
    [{ a: { $gt: 'B' } }, [{ a: 'c' }], [{ a: 'b' }, { a: 'A' }]],
    [{ a: { b: 'X' } }, [{ a: { b: 'x' } }], [{ a: { b: 'y' } }]]
  ], { collation: { locale: 'en', strength: 2 } })
})

const mistakes: Array<[filter: object, code: number, words: RegExp]> = [
  [{ $foo: 1 }, 2, /^unknown top level operator: \$foo\. If you have a field name that starts with/],
  [{ a: { $foo: 1 } }, 2, /^unknown operator: \$foo$/],
  [{ a: { $gt: 1, b: 1 } }, 2, /^unknown operator: b$/],
  [{ $and: [] }, 2, /must be a nonempty array/],
  [{ $or: {} }, 2, /must be an array/],
  [{ $or: [1] }, 2, /entries need to be full objects/],
  [{ a: { $in: 1 } }, 2, /\$in needs an array/],
  [{ a: { $in: [{ $gt: 1 }] } }, 2, /cannot nest \$ under \$in/],
  [{ a: { $all: 1 } }, 2, /\$all needs an array/],
  [{ a: { $elemMatch: 1 } }, 2, /\$elemMatch needs an Object/],
  [{ a: { $size: -1 } }, 9, /Failed to parse \$size/],
  [{ a: { $size: 'x' } }, 9, /Failed to parse \$size/],
  [{ a: { $mod: [0, 1] } }, 2, /divisor cannot be 0/],
  [{ a: { $mod: [1] } }, 2, /not enough elements/],
  [{ a: { $not: 1 } }, 2, /\$not needs a regex or a document/],
  [{ a: { $not: {} } }, 2, /\$not cannot be empty/],
  [{ a: { $type: 'nope' } }, 2, /Unknown type name alias: nope/],
  [{ a: { $type: 50 } }, 2, /Invalid numerical type code: 50/],
  [{ a: { $regex: '(' } }, 51091, /Regular expression is invalid/],
  [{ a: { $regex: 'a'.repeat(40000) } }, 51091, /too large/],
  [{ a: { $options: 'i' } }, 2, /\$options needs a \$regex/],
  [{ a: { $ne: /x/ } }, 2, /Can't have regex as arg to \$ne/],
  [{ a: { $gt: /x/ } }, 2, /Can't have RegEx as arg to predicate/],
  [{ $where: 'true' }, 2, /\$where/],
  [{ $expr: { $function: { body: 'f', args: [], lang: 'js' } } }, 31264, /server-side javascript/],
  [{ $expr: { $nope: 1 } }, 168, /Unrecognized expression '\$nope'/],
  [{ a: { $near: [1, 2] } }, 115, /geospatial/],
  [{ $text: { $search: 'x' } }, 27, /text index required/],
  [{ a: { $bitsAllSet: -1 } }, 9, /non-negative/]
]

test('mistakes in filters are told in the server\'s words', async t => {
  for (const [filter, code, words] of mistakes) {
    const error = failure(() => compileFilter(wire(filter)))
    t.equal(error.code, code, JSON.stringify(filter).slice(0, 80))
    t.match(error.message, words)
  }
  t.equal(failure(() => compileFilter(wire({ $foo: 1 }))).codeName, 'BadValue')
})

test('let variables reach $expr', async t => {
  const matches = compileFilter(wire({ $expr: { $eq: ['$a', '$$wanted'] } }), { let: wire({ wanted: { $add: [1, 2] } }) })
  t.ok(matches({ a: new Int32(3) }))
  t.notOk(matches({ a: new Int32(4) }))
  t.equal(failure(() => compileFilter(wire({ $expr: '$$nope' }))).code, 17276)
})
