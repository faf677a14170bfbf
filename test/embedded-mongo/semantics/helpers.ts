import { EJSON, serialize } from 'bson'
import fc from 'fast-check'
import { Binary, BSONRegExp, BSONSymbol, Code, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'bson'
import { CommandError, deserializeDocument, type Document } from '../../../src/embedded-mongo/semantics/index.js'

/** A document as the server reads it from the wire: plain numbers become int32 or double wrappers. */
export function wire (plain: object): Document {
  return deserializeDocument(serialize(plain, { ignoreUndefined: false }))
}

/** A list of documents as the server reads them. */
export function wireList (plain: object[]): Document[] {
  return plain.map(wire)
}

/** Canonical Extended JSON: types, field order and values all count. */
export function canonical (value: unknown): unknown {
  return JSON.parse(EJSON.stringify({ value }, { relaxed: false }))
}

/** Relaxed Extended JSON, for results whose numeric types are tested elsewhere. */
export function relaxed (value: unknown): unknown {
  return (JSON.parse(EJSON.stringify({ value }, { relaxed: true })) as { value: unknown }).value
}

/** The code and words of the CommandError that a function throws. */
export function failure (run: () => unknown): { code: number, codeName: string, message: string } {
  try {
    run()
  } catch (error) {
    if (error instanceof CommandError) return { code: error.code, codeName: error.codeName, message: error.message }
    throw error
  }
  throw new Error('expected a CommandError')
}

const int32 = fc.integer({ min: -2147483648, max: 2147483647 }).map(value => new Int32(value))
const double = fc.oneof(fc.double(), fc.constantFrom(NaN, -0, 0, Infinity, -Infinity, 2 ** 53, 2 ** 53 + 2, 0.1, -(2 ** 63), 2 ** 63)).map(value => new Double(value))
const long = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n), 0n, 1n)
).map(value => Long.fromBigInt(value))
const decimal = fc.oneof(
  fc.tuple(fc.bigInt({ min: -(10n ** 34n) + 1n, max: 10n ** 34n - 1n }), fc.integer({ min: -40, max: 40 })).map(([coefficient, exponent]) => `${coefficient}E${exponent}`),
  fc.tuple(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: -3, max: 3 })).map(([coefficient, exponent]) => `${coefficient}E${exponent}`),
  fc.constantFrom('NaN', 'Infinity', '-Infinity', '0', '-0', '0.1', '9007199254740993', '1E-6176', '9.999999999999999999999999999999999E6144', '-1E-6000')
).map(text => Decimal128.fromString(text))

/** Numbers of all four types, with those that are hard to tell apart. */
export const numbers = fc.oneof(int32, double, long, decimal)

const text = fc.string({ unit: fc.constantFrom('a', 'b', 'A', 'é', 'ß', '\0', '\u{10ffff}', '\ufffd', '\ue000', '1', ' ', '_'), maxLength: 5 })
const bytes = fc.uint8Array({ maxLength: 6 })

const scalars = fc.oneof(
  { weight: 6, arbitrary: numbers },
  { weight: 4, arbitrary: text },
  text.map(value => new BSONSymbol(value)),
  fc.boolean(),
  fc.constant(null),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map(value => new ObjectId(value)),
  fc.tuple(bytes, fc.constantFrom(0, 1, 3, 5, 6, 128)).map(([value, subtype]) => new Binary(value, subtype)),
  fc.tuple(fc.nat(), fc.nat()).map(([t, i]) => new Timestamp({ t, i })),
  fc.tuple(fc.constantFrom('a', '^b', 'c+'), fc.constantFrom('', 'i', 'im')).map(([pattern, options]) => new BSONRegExp(pattern, options)),
  fc.constantFrom('f', 'g').map(code => new Code(code)),
  fc.tuple(fc.constantFrom('f', 'g'), int32).map(([code, x]) => new Code(code, { x })),
  fc.constant(new MinKey()),
  fc.constant(new MaxKey())
)

const fieldNames = fc.constantFrom('a', 'b', 'c', 'aa')

/** Any BSON value, nested a little. */
export const values: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>(tie => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    { weight: 5, arbitrary: scalars },
    fc.array(tie('value'), { maxLength: 3 }),
    fc.uniqueArray(fc.tuple(fieldNames, tie('value')), { selector: ([name]) => name, maxLength: 3 }).map(entries => Object.fromEntries(entries))
  )
})).value

/** Small documents whose fields collide often, for comparing two implementations. */
export const documents: fc.Arbitrary<Document> = fc.record({ a: values, b: values, c: values }, { requiredKeys: [] }).map(value => ({ ...value }))

/** Damage to a few bytes, most often none, or the end cut off. */
export const corrupted: fc.Arbitrary<(bytes: Buffer) => Buffer> = fc.oneof(
  fc.constant((bytes: Buffer) => bytes),
  fc.array(fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(0, 1, 2, 3, 4, 5, 8, 9, 16, 36, 255), fc.nat(255))), { minLength: 1, maxLength: 3 }).map(changes => (bytes: Buffer) => {
    for (const [at, byte] of changes) bytes[at % bytes.length] = byte
    return bytes
  }),
  fc.nat().map(length => (bytes: Buffer) => bytes.subarray(0, length % bytes.length))
)
