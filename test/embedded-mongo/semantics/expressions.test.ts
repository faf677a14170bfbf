import { Binary, Decimal128, Double, Int32, Long, ObjectId, Timestamp } from 'bson'
import { test, type Test } from 'tap'
import { runPipeline, type Document } from '../../../src/embedded-mongo/semantics/index.js'
import { canonical, failure, wire } from './helpers.js'

const source = {
  _id: 1,
  i: 5,
  d: 2.5,
  n: null,
  s: 'Zürich',
  t: new Date('2024-03-10T12:34:56.789Z'),
  list: [3, 1, 2],
  docs: [{ k: 'a', v: 1 }, { k: 'b', v: 2 }, { v: 3 }],
  o: { x: 1, y: { z: 2 } },
  id: new ObjectId('65f0c0ffee65f0c0ffee6500')
}

function evaluate (expression: unknown, now = new Date(0)): unknown {
  const { p } = wire({ p: [{ $replaceWith: { r: expression } }] }) as { p: Document[] }
  const [result] = runPipeline([wire(source)], p, { resolveCollection: () => [], now })
  return result?.r
}

type Row = [expression: unknown, expected: unknown]

function check (t: Test, rows: Row[]): void {
  for (const [expression, expected] of rows) {
    const result = evaluate(expression)
    t.same(result === undefined ? 'missing' : canonical(result), expected === undefined ? 'missing' : canonical(wire({ value: expected }).value), JSON.stringify(expression))
  }
}

const long = (value: number | bigint) => Long.fromBigInt(BigInt(value))
const decimal = (text: string) => Decimal128.fromString(text)

test('arithmetic keeps and promotes numeric types', async t => {
  check(t, [
    [{ $add: ['$i', 1] }, 6],
    [{ $add: [] }, 0],
    [{ $add: [2147483647, 1] }, long(2147483648)],
    [{ $add: [long(1), 1] }, long(2)],
    [{ $add: [long(2n ** 63n - 1n), 1] }, new Double(2 ** 63)],
    [{ $add: ['$i', '$d'] }, 7.5],
    [{ $add: [new Double(1), 1] }, new Double(2)],
    [{ $add: [decimal('0.1'), 0.2] }, decimal('0.300000000000000')],
    [{ $add: ['$i', '$n'] }, null],
    [{ $add: ['$i', '$missing'] }, null],
    [{ $add: ['$t', 1000] }, new Date('2024-03-10T12:34:57.789Z')],
    [{ $subtract: ['$t', new Date('2024-03-10T12:34:56.000Z')] }, long(789)],
    [{ $subtract: ['$t', 789] }, new Date('2024-03-10T12:34:56.000Z')],
    [{ $subtract: [-2147483648, 1] }, long(-2147483649)],
    [{ $multiply: ['$i', 2, '$d'] }, new Double(25)],
    [{ $multiply: [65536, 65536] }, long(4294967296)],
    [{ $divide: [5, 2] }, 2.5],
    [{ $divide: [4, 2] }, new Double(2)],
    [{ $divide: [decimal('1'), 3] }, decimal('0.3333333333333333333333333333333333')],
    [{ $mod: [-7, 3] }, -1],
    [{ $mod: [7.5, 2] }, 1.5],
    [{ $abs: -5 }, 5],
    [{ $abs: [-2147483648] }, long(2147483648)],
    [{ $ceil: 1.2 }, new Double(2)],
    [{ $floor: -1.2 }, new Double(-2)],
    [{ $floor: decimal('-1.2') }, decimal('-2')],
    [{ $round: [2.5] }, new Double(2)],
    [{ $round: [3.5, 0] }, new Double(4)],
    [{ $round: [1.255, 2] }, 1.26],
    [{ $round: [1234, -2] }, 1200],
    [{ $trunc: [-7.85, 1] }, -7.8],
    [{ $pow: [2, 10] }, 1024],
    [{ $pow: [2, 40] }, long(2 ** 40)],
    [{ $pow: [2, -1] }, 0.5],
    [{ $sqrt: 16 }, new Double(4)],
    [{ $log10: 1000 }, new Double(3)],
    [{ $log: [8, 2] }, new Double(Math.log(8) / Math.log(2))],
    [{ $exp: 0 }, new Double(1)],
    [{ $sin: 0 }, new Double(0)],
    [{ $degreesToRadians: 180 }, Math.PI],
    [{ $bitAnd: [12, 10] }, 8],
    [{ $bitNot: 0 }, -1]
  ])
})

test('comparison and logic follow BSON order', async t => {
  check(t, [
    [{ $eq: ['$i', new Double(5)] }, true],
    [{ $eq: ['$missing', null] }, false],
    [{ $gt: ['$missing', null] }, false],
    [{ $lt: ['$n', 0] }, true],
    [{ $gt: ['abc', 999] }, true],
    [{ $cmp: [[1, 2], [1, 3]] }, -1],
    [{ $and: [1, 'x', true] }, true],
    [{ $and: [] }, true],
    [{ $or: [0, null, '$missing'] }, false],
    [{ $not: [0] }, true],
    [{ $cond: [{ $gt: ['$i', 3] }, 'big', 'small'] }, 'big'],
    [{ $cond: { if: '$n', then: 1, else: '$$REMOVE' } }, undefined],
    [{ $ifNull: ['$n', '$missing', 7] }, 7],
    [{ $switch: { branches: [{ case: { $eq: ['$i', 1] }, then: 'one' }, { case: true, then: 'other' }] } }, 'other'],
    [{ $switch: { branches: [{ case: false, then: 1 }], default: '$i' } }, 5],
    [{ $let: { vars: { a: 1, b: '$i' }, in: { $add: ['$$a', '$$b'] } } }, 6],
    [{ $let: { vars: { o: '$o' }, in: '$$o.y.z' } }, 2],
    [{ $literal: '$i' }, '$i']
  ])
})

test('field paths enter arrays but take no index', async t => {
  check(t, [
    ['$o.y.z', 2],
    ['$docs.k', ['a', 'b']],
    ['$list.0', []],
    ['$$ROOT.i', 5],
    ['$$CURRENT.i', 5],
    [{ a: '$i', b: { c: '$missing' }, d: ['$missing', 1] }, { a: 5, b: {}, d: [null, 1] }],
    ['$$NOW', new Date(0)],
    [{ $getField: 'i' }, 5],
    [{ $getField: { field: { $literal: '$x' }, input: { $literal: { $x: 3 } } } }, 3],
    [{ $setField: { field: 'q', input: '$o', value: 1 } }, { x: 1, y: { z: 2 }, q: 1 }],
    [{ $unsetField: { field: 'y', input: '$o' } }, { x: 1 }],
    [{ $mergeObjects: ['$o', { x: 9 }, null] }, { x: 9, y: { z: 2 } }]
  ])
})

test('array operators select and transform', async t => {
  check(t, [
    [{ $arrayElemAt: ['$list', -1] }, 2],
    [{ $arrayElemAt: ['$list', 9] }, undefined],
    [{ $first: '$list' }, 3],
    [{ $last: '$list' }, 2],
    [{ $size: '$list' }, 3],
    [{ $slice: ['$list', -2] }, [1, 2]],
    [{ $slice: ['$list', 1, 5] }, [1, 2]],
    [{ $concatArrays: ['$list', [9]] }, [3, 1, 2, 9]],
    [{ $concatArrays: ['$list', '$n'] }, null],
    [{ $filter: { input: '$list', as: 'x', cond: { $gte: ['$$x', 2] } } }, [3, 2]],
    [{ $filter: { input: '$list', cond: true, limit: 1 } }, [3]],
    [{ $map: { input: '$list', in: { $multiply: ['$$this', 2] } } }, [6, 2, 4]],
    [{ $map: { input: '$docs', as: 'd', in: '$$d.k' } }, ['a', 'b', null]],
    [{ $reduce: { input: '$list', initialValue: 0, in: { $add: ['$$value', '$$this'] } } }, 6],
    [{ $map: { input: [1, 2], as: 'a', in: { $map: { input: [10, 20], as: 'b', in: { $add: ['$$a', '$$b'] } } } } }, [[11, 21], [12, 22]]],
    [{ $in: [1, '$list'] }, true],
    [{ $indexOfArray: ['$list', 2] }, 2],
    [{ $indexOfArray: ['$list', 8] }, -1],
    [{ $isArray: '$list' }, true],
    [{ $range: [0, 10, 3] }, [0, 3, 6, 9]],
    [{ $range: [3, 0, -1] }, [3, 2, 1]],
    [{ $reverseArray: '$list' }, [2, 1, 3]],
    [{ $sortArray: { input: '$list', sortBy: 1 } }, [1, 2, 3]],
    [{ $sortArray: { input: '$docs', sortBy: { k: -1 } } }, [{ k: 'b', v: 2 }, { k: 'a', v: 1 }, { v: 3 }]],
    [{ $zip: { inputs: [[1, 2], ['a']] } }, [[1, 'a']]],
    [{ $zip: { inputs: [[1, 2], ['a']], useLongestLength: true, defaults: [0, 'z'] } }, [[1, 'a'], [2, 'z']]],
    [{ $arrayToObject: [[['a', 1], ['b', 2]]] }, { a: 1, b: 2 }],
    [{ $arrayToObject: { $literal: [{ k: 'a', v: 1 }] } }, { a: 1 }],
    [{ $objectToArray: { a: 1 } }, [{ k: 'a', v: 1 }]],
    [{ $firstN: { n: 2, input: '$list' } }, [3, 1]],
    [{ $lastN: { n: 2, input: '$list' } }, [1, 2]],
    [{ $maxN: { n: 2, input: '$list' } }, [3, 2]],
    [{ $minN: { n: 2, input: '$list' } }, [1, 2]],
    [{ $setUnion: ['$list', [1, 9]] }, [1, 2, 3, 9]],
    [{ $setIntersection: ['$list', [2, 3, 4]] }, [2, 3]],
    [{ $setDifference: ['$list', [1]] }, [3, 2]],
    [{ $setEquals: ['$list', [1, 2, 3, 3]] }, true],
    [{ $setIsSubset: [[1], '$list'] }, true],
    [{ $anyElementTrue: [[0, 1]] }, true],
    [{ $allElementsTrue: [[0, 1]] }, false],
    [{ $sum: '$list' }, 6],
    [{ $sum: ['$i', '$d', 'x'] }, 7.5],
    [{ $avg: '$list' }, new Double(2)],
    [{ $max: ['$i', '$d', null] }, 5],
    [{ $min: '$list' }, 1],
    [{ $stdDevPop: [[1, 3]] }, new Double(1)],
    [{ $median: { input: '$list', method: 'approximate' } }, new Double(2)]
  ])
})

test('string operators count code points or bytes', async t => {
  check(t, [
    [{ $concat: ['$s', '!'] }, 'Zürich!'],
    [{ $concat: ['$s', '$n'] }, null],
    [{ $toUpper: '$s' }, 'ZüRICH'],
    [{ $toLower: null }, ''],
    [{ $strLenCP: '$s' }, 6],
    [{ $strLenBytes: '$s' }, 7],
    [{ $substrCP: ['$s', 1, 2] }, 'ür'],
    [{ $substrBytes: ['$s', 3, -1] }, 'rich'],
    [{ $substr: ['abc', 5, 2] }, ''],
    [{ $indexOfCP: ['$s', 'r'] }, 2],
    [{ $indexOfBytes: ['$s', 'r'] }, 3],
    [{ $split: ['a-b-c', '-'] }, ['a', 'b', 'c']],
    [{ $trim: { input: '  x ' } }, 'x'],
    [{ $ltrim: { input: 'aabc', chars: 'ab' } }, 'c'],
    [{ $rtrim: { input: 'cba', chars: 'ab' } }, 'c'],
    [{ $replaceOne: { input: 'a.a', find: 'a', replacement: { $literal: '$&' } } }, '$&.a'],
    [{ $replaceAll: { input: 'a.a', find: 'a', replacement: 'b' } }, 'b.b'],
    [{ $strcasecmp: ['Abc', 'aBD'] }, -1],
    [{ $regexMatch: { input: '$s', regex: '^z', options: 'i' } }, true],
    [{ $regexFind: { input: '$s', regex: /r(i)(q)?/ } }, { match: 'ri', idx: 2, captures: ['i', null] }],
    [{ $regexFindAll: { input: 'a1b2', regex: '[0-9]' } }, [{ match: '1', idx: 1, captures: [] }, { match: '2', idx: 3, captures: [] }]],
    [{ $regexFind: { input: '$n', regex: 'x' } }, null]
  ])
})

test('conversions keep to their rules', async t => {
  check(t, [
    [{ $type: '$i' }, 'int'],
    [{ $type: '$missing' }, 'missing'],
    [{ $type: '$id' }, 'objectId'],
    [{ $isNumber: '$d' }, true],
    [{ $toInt: '42' }, 42],
    [{ $toInt: 2.9 }, 2],
    [{ $toLong: '$t' }, long(1710074096789)],
    [{ $toDouble: '1.5' }, 1.5],
    [{ $toDecimal: '1.50' }, decimal('1.50')],
    [{ $toDecimal: 0.1 }, decimal('0.100000000000000')],
    [{ $toString: '$d' }, '2.5'],
    [{ $toString: '$id' }, '65f0c0ffee65f0c0ffee6500'],
    [{ $toString: '$t' }, '2024-03-10T12:34:56.789Z'],
    [{ $toBool: 'false' }, true],
    [{ $toBool: 0 }, false],
    [{ $toDate: '2024-01-01' }, new Date('2024-01-01')],
    [{ $toDate: long(5) }, new Date(5)],
    [{ $toDate: '$id' }, new ObjectId('65f0c0ffee65f0c0ffee6500').getTimestamp()],
    [{ $toObjectId: '65f0c0ffee65f0c0ffee6500' }, source.id],
    [{ $toInt: '$n' }, null],
    [{ $convert: { input: 'x', to: 'int', onError: 'bad' } }, 'bad'],
    [{ $convert: { input: null, to: 'int', onNull: 'none' } }, 'none'],
    [{ $convert: { input: '12', to: 16 } }, 12],
    [{ $binarySize: { $literal: new Binary(Buffer.from('abc')) } }, 3],
    [{ $tsSecond: { $literal: new Timestamp({ t: 7, i: 2 }) } }, long(7)],
    [{ $bsonSize: '$o' }, 27]
  ])
})

const mistakes: Array<[expression: unknown, code: number, words: RegExp]> = [
  [{ $divide: [1, 0] }, 2, /can't \$divide by zero/],
  [{ $add: ['x'] }, 14, /\$add only supports numeric or date types, not string/],
  [{ $subtract: ['$s', 1] }, 14, /can't \$subtract int from string/],
  [{ $mod: [1, 0] }, 16610, /can't \$mod by zero/],
  [{ $abs: 'x' }, 28765, /\$abs only supports numeric types, not string/],
  [{ $subtract: [1] }, 16020, /Expression \$subtract takes exactly 2 arguments\. 1 were passed in\./],
  [{ $nope: 1 }, 168, /Unrecognized expression '\$nope'/],
  [{ $add: 1, $subtract: 2 }, 15983, /exactly one field/],
  ['$$nope', 17276, /Use of undefined variable: nope/],
  ['$', 16872, /'\$' by itself is not a valid FieldPath/],
  [{ $size: '$i' }, 17124, /must be an array, but was of type: int/],
  [{ $arrayElemAt: ['$i', 0] }, 28689, /first argument must be an array, but is int/],
  [{ $concat: [1] }, 16702, /\$concat only supports strings, not int/],
  [{ $toInt: 'x' }, 241, /Failed to parse number 'x'/],
  [{ $toInt: 3e10 }, 241, /overflow/],
  [{ $toDate: 'nonsense' }, 241, /Error parsing date string/],
  [{ $cond: { if: 1, then: 2 } }, 17082, /Missing 'else' parameter to \$cond/],
  [{ $switch: { branches: [{ case: false, then: 1 }] } }, 40066, /could not find a matching branch/],
  [{ $map: { input: '$i', in: 1 } }, 16883, /input to \$map must be an array not int/],
  [{ $substrBytes: ['$s', 2, 1] }, 28656, /UTF-8 continuation byte/],
  [{ $accumulator: {} }, 31264, /javascript/],
  [{ $round: [1, 200] }, 51083, /precision value 200/],
  [{ $dateTrunc: { date: '$t', unit: 'eon' } }, 9, /unknown time unit value: eon/],
  [{ $dateToString: { date: '$t', timezone: 'Mars/Olympus' } }, 40485, /unrecognized time zone identifier: "Mars\/Olympus"/],
  [{ $range: [0, 1e9] }, 146, /memory/]
]

test('mistakes in expressions are told in the server\'s words', async t => {
  for (const [expression, code, words] of mistakes) {
    const error = failure(() => evaluate(expression))
    t.equal(error.code, code, JSON.stringify(expression))
    t.match(error.message, words)
  }
})

test('results keep their BSON types', async t => {
  t.type(evaluate({ $size: '$list' }), Int32)
  t.type(evaluate({ $divide: [4, 2] }), Double)
  t.type(evaluate({ $dateDiff: { startDate: '$t', endDate: '$t', unit: 'day' } }), Long)
})
