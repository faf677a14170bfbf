import fc from 'fast-check'
import { serialize, Binary, BSONRegExp, BSONSymbol, Code, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp, UUID } from 'bson'
import { test } from 'tap'
import { compareValues, deserializeDocument, encodeKey, encodeKeyDescending, scanDocument, serializeDocument, type Collation } from '../../../src/embedded-mongo/semantics/index.js'
import { corrupted, documents, failure, numbers, values } from './helpers.js'

const RUNS = { numRuns: 2000 }

test('every BSON type round-trips bit for bit', async t => {
  const bytes = serialize({
    _id: new ObjectId('65f0c0ffee65f0c0ffee6500'),
    int: new Int32(-5),
    wholeDouble: new Double(5),
    negativeZero: new Double(-0),
    notANumber: new Double(NaN),
    long: Long.fromBigInt(9007199254740993n),
    decimal: Decimal128.fromString('1.2300'),
    decimalNaN: Decimal128.fromString('NaN'),
    text: 'zürich\0\u{1f3ce}',
    date: new Date(-1),
    yes: true,
    nothing: null,
    binary: new Binary(Buffer.from('ab'), 0),
    oldBinary: new Binary(Buffer.from('ab'), 2),
    uuid: new UUID('8a1c1d7e-5c0b-4f6e-9d5c-0b4f6e9d5c0b'),
    custom: new Binary(Buffer.from('ab'), 200),
    regex: new BSONRegExp('a.b', 'im'),
    symbol: new BSONSymbol('s'),
    code: new Code('return 1'),
    scoped: new Code('return x', { x: new Int32(1) }),
    timestamp: new Timestamp({ t: 4294967295, i: 4294967295 }),
    min: new MinKey(),
    max: new MaxKey(),
    reference: { $ref: 'c', $id: new Int32(1), $db: 'd', more: true },
    nested: { list: [new Int32(1), { deep: [] }], __proto__x: {} }
  })
  t.same(Buffer.from(serializeDocument(deserializeDocument(bytes))), Buffer.from(bytes))
})

test('random documents round-trip bit for bit', async () => {
  fc.assert(fc.property(values, value => {
    const bytes = Buffer.from(serialize({ value }))
    return bytes.equals(serializeDocument(deserializeDocument(bytes)))
  }), RUNS)
})

test('a field named __proto__ stays a field', async t => {
  const doc = deserializeDocument(serialize(JSON.parse('{"__proto__":{"x":1}}') as object))
  t.same(Object.keys(doc), ['__proto__'])
  t.equal(Object.getPrototypeOf(doc), Object.prototype)
  t.same(Object.keys(deserializeDocument(serializeDocument(doc))), ['__proto__'])
})

test('malformed and too deep documents are refused', async t => {
  t.equal(failure(() => deserializeDocument(Buffer.from([9, 0, 0, 0, 2, 97, 0, 255, 0]))).code, 22)
  let deep: object = {}
  for (let i = 0; i < 5000; i++) deep = { a: deep }
  t.equal(failure(() => deserializeDocument(serialize(deep))).codeName, 'Overflow')
  t.equal(failure(() => serializeDocument({ deep })).codeName, 'Overflow')
})

/** What `scanDocument` found, read from the bytes it points at. */
function scannedNames (bytes: Buffer): string[] | undefined {
  const fields = scanDocument(bytes)
  return fields?.flatMap((at, i) => i % 2 === 0 ? [bytes.toString('utf8', at + 1, fields[i + 1]! - 1)] : [])
}

test('a scan finds the fields of ordinary documents', async t => {
  const sample = { _id: new ObjectId(), text: 'plain', signs: 'zürich\0\u{1f3ce}\ufffd', '': new Double(1.5), 5: new Int32(1), at: new Date(8.64e15 - 2 ** 32), before: new Date(-8.64e15 + 2 ** 32), yes: true, nothing: null, long: Long.MAX_VALUE, bytes: new Binary(Buffer.from([0, 255])), list: [[], {}, 'a'], 'a.b': { _id: { c: [null] } } }
  const bytes = Buffer.from(serialize(sample))
  t.same(scannedNames(bytes), Object.keys(sample))
  for (let length = 0; length < bytes.length; length++) t.notOk(scanDocument(bytes.subarray(0, length)), `the first ${length} bytes alone`)
})

test('what a scan accepts decodes to the same fields', async () => {
  fc.assert(fc.property(documents, corrupted, (document, corrupt) => {
    const bytes = corrupt(Buffer.from(serialize(document)))
    const names = scannedNames(bytes)
    return names === undefined || [...new Set(names)].sort().join() === Object.keys(deserializeDocument(bytes)).sort().join()
  }), RUNS)
})

const typeOrder: Array<[string, unknown]> = [
  ['MinKey', new MinKey()],
  ['missing', undefined],
  ['null', null],
  ['number', new Int32(1)],
  ['string', 'a'],
  ['document', { a: new Int32(1) }],
  ['array', [new Int32(1)]],
  ['binary', new Binary(Buffer.from('a'))],
  ['ObjectId', new ObjectId('65f0c0ffee65f0c0ffee6500')],
  ['boolean', false],
  ['date', new Date(0)],
  ['timestamp', new Timestamp({ t: 0, i: 0 })],
  ['regex', new BSONRegExp('a')],
  ['code', new Code('a')],
  ['code with scope', new Code('a', {})],
  ['MaxKey', new MaxKey()]
]

test('types compare in BSON order', async t => {
  for (let i = 1; i < typeOrder.length; i++) {
    const [[before, low], [after, high]] = [typeOrder[i - 1], typeOrder[i]] as [[string, unknown], [string, unknown]]
    t.ok(compareValues(low, high) < 0, `${before} is before ${after}`)
    t.ok(Buffer.compare(encodeKey(low), encodeKey(high)) < 0, `the key of ${before} is before that of ${after}`)
  }
})

const orders: Array<[string, unknown, unknown, number]> = [
  ['2^53+1 as int64 is above 2^53 as double', Long.fromBigInt(2n ** 53n + 1n), new Double(2 ** 53), 1],
  ['2^53+1 as int64 is below 2^53+2 as double', Long.fromBigInt(2n ** 53n + 1n), new Double(2 ** 53 + 2), -1],
  ['0.1 as decimal is below 0.1 as double', Decimal128.fromString('0.1'), new Double(0.1), -1],
  ['0.5 as decimal equals 0.5 as double', Decimal128.fromString('0.50'), new Double(0.5), 0],
  ['1 equals 1 in every type', Long.ONE, Decimal128.fromString('1.0'), 0],
  ['minus zero equals zero', new Double(-0), new Int32(0), 0],
  ['NaN is below minus infinity', new Double(NaN), new Double(-Infinity), -1],
  ['NaN equals decimal NaN', new Double(NaN), Decimal128.fromString('NaN'), 0],
  ['infinities of both types are equal', new Double(Infinity), Decimal128.fromString('Infinity'), 0],
  ['a string sorts by UTF-8, not UTF-16', '\u{10000}', '\uffff', 1],
  ['a shorter string comes first', 'a', 'ab', -1],
  ['a symbol equals its string', new BSONSymbol('a'), 'a', 0],
  ['documents compare types before names', { b: new Int32(1) }, { a: 'x' }, -1],
  ['documents compare names before values', { a: new Int32(2) }, { b: new Int32(1) }, -1],
  ['field order counts', { a: new Int32(1), b: new Int32(1) }, { b: new Int32(1), a: new Int32(1) }, -1],
  ['a shorter array comes first', [new Int32(1)], [new Int32(1), new Int32(0)], -1],
  ['shorter binaries come first', new Binary(Buffer.from('b')), new Binary(Buffer.from('aa')), -1],
  ['binaries compare subtype before bytes', new Binary(Buffer.from('b'), 0), new Binary(Buffer.from('a'), 5), -1],
  ['timestamps are unsigned', new Timestamp({ t: 0xffffffff, i: 0 }), new Timestamp({ t: 1, i: 0 }), 1]
]

test('values compare as MongoDB compares them', async t => {
  for (const [title, a, b, expected] of orders) {
    t.equal(Math.sign(compareValues(a, b)), expected, title)
    t.equal(Math.sign(Buffer.compare(encodeKey(a), encodeKey(b))), expected, `${title}, as keys`)
  }
})

test('comparison is a total order', async () => {
  fc.assert(fc.property(values, values, values, (a, b, c) => {
    const [ab, ba, bc, ac] = [compareValues(a, b), compareValues(b, a), compareValues(b, c), compareValues(a, c)].map(Math.sign)
    if (compareValues(a, a) !== 0 || ab !== -(ba ?? 0) + 0) return false
    return ab !== bc || ab === ac
  }), RUNS)
})

test('numbers of all types are in one total order', async () => {
  fc.assert(fc.property(numbers, numbers, numbers, (a, b, c) => {
    const sorted = [a, b, c].sort(compareValues)
    return compareValues(sorted[0], sorted[2]) <= 0 && Math.sign(compareValues(a, b)) === Math.sign(Buffer.compare(encodeKey(a), encodeKey(b)))
  }), RUNS)
})

test('key order is the order of values', async () => {
  fc.assert(fc.property(values, values, (a, b) => Math.sign(compareValues(a, b)) === Math.sign(Buffer.compare(encodeKey(a), encodeKey(b)))), RUNS)
})

test('descending keys turn the order around', async () => {
  fc.assert(fc.property(values, values, (a, b) => Math.sign(compareValues(b, a)) === Math.sign(Buffer.compare(encodeKeyDescending(a), encodeKeyDescending(b)))), RUNS)
})

test('joined keys order by their first part', async () => {
  fc.assert(fc.property(values, values, values, values, (a, b, c, d) => {
    const order = compareValues(a, c) || compareValues(d, b)
    const left = Buffer.concat([encodeKey(a), encodeKeyDescending(b)])
    const right = Buffer.concat([encodeKey(c), encodeKeyDescending(d)])
    return Math.sign(order) === Math.sign(Buffer.compare(left, right))
  }), RUNS)
})

const collations: Array<[string, Collation, string, string, number]> = [
  ['strength 2 ignores case', { locale: 'en', strength: 2 }, 'Ferrari', 'fERRARI', 0],
  ['strength 2 tells accents', { locale: 'en', strength: 2 }, 'cafe', 'café', -1],
  ['strength 1 ignores accents too', { locale: 'en', strength: 1 }, 'cafe', 'CAFÉ', 0],
  ['strength 1 with caseLevel tells case', { locale: 'en', strength: 1, caseLevel: true }, 'cafe', 'CAFÉ', -1],
  ['strength 3 puts lower case first', { locale: 'en' }, 'a', 'A', -1],
  ['letters decide before case', { locale: 'en' }, 'A', 'b', -1],
  ['numericOrdering reads numbers', { locale: 'en', numericOrdering: true }, 'car10', 'car9', 1],
  ['composed and decomposed are equal', { locale: 'fr' }, '\u00e9', 'e\u0301', 0]
]

test('collation decides equality and order of strings', async t => {
  for (const [title, collation, a, b, expected] of collations) {
    t.equal(Math.sign(compareValues(a, b, collation)), expected, title)
    t.equal(Math.sign(Buffer.compare(encodeKey(a, collation), encodeKey(b, collation))), expected, `${title}, as keys`)
  }
})

test('collation keys agree with ICU on ASCII', async () => {
  const ascii = fc.string({ unit: fc.integer({ min: 32, max: 126 }).map(code => String.fromCharCode(code)), maxLength: 6 })
  for (const [strength, sensitivity] of [[1, 'base'], [3, 'variant']] as const) {
    const collator = new Intl.Collator('en', { sensitivity, ignorePunctuation: false })
    fc.assert(fc.property(ascii, ascii, (a, b) => Math.sign(collator.compare(a, b)) === Math.sign(compareValues(a, b, { locale: 'en', strength }))), RUNS)
  }
})

test('collated keys order as collated values', async () => {
  fc.assert(fc.property(values, values, fc.constantFrom(1, 2, 3), (a, b, strength) => {
    const collation = { locale: 'en', strength }
    return Math.sign(compareValues(a, b, collation)) === Math.sign(Buffer.compare(encodeKey(a, collation), encodeKey(b, collation)))
  }), RUNS)
})
