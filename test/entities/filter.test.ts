import fc from 'fast-check'
import { test } from 'tap'
import { PitwallError } from '../../src/errors.js'
import { compileFilter } from '../../src/entities/filter.js'
import { filterOperators } from '../../src/entities/filter-conditions.js'
import { compilePredicate } from '../../src/entities/filter-predicate.js'

const refused: [title: string, filter: unknown][] = [
  ['$where', { $where: 'sleep(1000)' }],
  ['$or', { $or: [{ a: 1 }] }],
  ['$expr', { $expr: { $gt: ['$a', 1] } }],
  ['a regular expression', { type: { $regex: '^a' } }],
  ['a nested operator', { type: { $not: { $eq: 1 } } }],
  ['a dotted path', { 'a.b': 1 }],
  ['_id', { _id: '64b7f0c2a1b2c3d4e5f60718' }],
  ['__proto__', JSON.parse('{"__proto__": 1}')],
  ['constructor', JSON.parse('{"constructor": 1}')],
  ['an object to compare with', { type: { name: 'lap' } }],
  ['a list to compare with', { type: ['lap'] }],
  ['an empty object', { type: {} }],
  ['an object within $eq', { type: { $eq: { $gt: '' } } }],
  ['an object within $in', { type: { $in: [{ $gt: '' }] } }],
  ['$in without a list', { type: { $in: 'lap' } }],
  ['$exists with a number', { type: { $exists: 1 } }],
  ['$gt with null', { speed: { $gt: null } }],
  ['a time that is none', { createdAt: { $gt: 'yesterday' } }],
  ['a list instead of an object', []],
  ['text instead of an object', 'type=lap'],
  ['no object at all', null],
  ['too many fields', Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`f${index}`, 1]))]
]

for (const [title, filter] of refused) {
  test(`a filter with ${title} is refused by name`, async (t) => {
    t.throws(() => compileFilter(filter), { code: 'BAD_FILTER' })
    t.throws(() => compilePredicate(filter), { code: 'BAD_FILTER' })
  })
}

test('a filter compiles to operators on plain fields', async (t) => {
  t.strictSame(compileFilter({ type: 'lap', speed: { $gt: 1, $lt: 5 }, gone: null }), {
    type: { $eq: 'lap' }, speed: { $gt: 1, $lt: 5 }, gone: { $eq: null }
  })
})

test('ISO strings become dates on times only', async (t) => {
  const iso = '2026-11-21T10:00:00.000Z'
  t.strictSame(compileFilter({ createdAt: { $gte: iso }, start: { $gte: iso }, updatedAt: 0 }), {
    createdAt: { $gte: new Date(iso) }, start: { $gte: iso }, updatedAt: { $eq: new Date(0) }
  })
})

test('an id is looked up as the ObjectId it is', async (t) => {
  const id = '64b7f0c2a1b2c3d4e5f60718'
  const compiled = compileFilter({ id: { $in: [id, 'car-7'] } }) as { _id: { $in: unknown[] } }
  t.equal(String(compiled._id.$in[0]), id)
  t.type(compiled._id.$in[0], 'object')
  t.equal(compiled._id.$in[1], 'car-7')
})

const operatorKey = fc.constantFrom(...filterOperators, '$where', '$or', '$regex', '$expr', '$function', '$not', '$elemMatch', 'plain', '_bsontype')
const hostile = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.jsonValue(),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(operatorKey, fc.string({ maxLength: 5 })), tie('value'), { maxKeys: 3 })
  )
})).value

test('no JSON whatever smuggles an operator in', async (t) => {
  const known: ReadonlySet<string> = new Set(filterOperators)
  const isScalar = (value: unknown) => value === null || value instanceof Date || ['string', 'number', 'boolean'].includes(typeof value) || (value as { _bsontype?: string })._bsontype === 'ObjectId'
  fc.assert(fc.property(hostile, (filter) => {
    let compiled: Record<string, Record<string, unknown>>
    try {
      compiled = compileFilter(filter) as typeof compiled
    } catch (error) {
      return error instanceof PitwallError && error.code === 'BAD_FILTER'
    }
    return Object.entries(compiled).every(([field, tests]) => !/^\$|\./.test(field) &&
      Object.entries(tests).every(([operator, operand]) => known.has(operator) && (Array.isArray(operand) ? operand.every(isScalar) : isScalar(operand))))
  }), { numRuns: 2000 })
  t.pass()
})
