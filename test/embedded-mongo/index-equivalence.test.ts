import fc from 'fast-check'
import { Decimal128, Long, type Collection, type Document } from 'mongodb'
import t from 'tap'
import { openDatabase } from './helper.js'

/** Values of many types, with numbers that are equal across types. */
const scalar = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, 1, 2, 2.5, -1, NaN, Infinity, 'a', 'b', 'B', '', new Date(0), new Date(1e12)),
  fc.constantFrom<unknown>(Long.fromNumber(1), Long.fromString('9007199254740993'), Decimal128.fromString('2.5'), Decimal128.fromString('0.1')),
  fc.integer({ min: -3, max: 5 }), fc.string({ maxLength: 3 })
)
const value = fc.oneof({ weight: 5, arbitrary: scalar }, fc.array(scalar, { maxLength: 3 }), fc.record({ c: scalar }), fc.array(fc.record({ c: scalar }), { maxLength: 2 }))
const document = fc.record({ a: value, b: value, n: fc.integer({ min: 0, max: 5 }) }, { requiredKeys: ['n'] })
const path = fc.constantFrom('a', 'b', 'n', 'a.c')
const condition = fc.oneof(
  scalar, scalar.map(operand => ({ $eq: operand })),
  fc.tuple(fc.constantFrom('$gt', '$gte', '$lt', '$lte', '$ne'), scalar).map(([operator, operand]) => ({ [operator]: operand })),
  fc.tuple(scalar, scalar).map(([min, max]) => ({ $gte: min, $lt: max })),
  fc.array(scalar, { maxLength: 3 }).map(list => ({ $in: list })), fc.boolean().map(exists => ({ $exists: exists }))
)
const filter = fc.array(fc.tuple(path, condition), { maxLength: 3 }).map(pairs => Object.fromEntries(pairs) as Document)
const sort = fc.array(fc.tuple(path, fc.constantFrom<1 | -1>(1, -1)), { maxLength: 2 }).map(pairs => Object.fromEntries(pairs))
const update = fc.oneof(
  fc.integer({ min: -2, max: 2 }).map(by => ({ $inc: { n: by } })), value.map(a => ({ $set: { a } })), fc.constant({ $unset: { b: '' } }), value.map(b => ({ $set: { b } }))
)
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('find' as const), filter, sort }) },
  fc.record({ kind: fc.constant('update' as const), filter, update }), fc.record({ kind: fc.constant('delete' as const), filter })
)
type Step = typeof step extends fc.Arbitrary<infer Kind> ? Kind : never

const INDEXES: Array<{ key: Record<string, 1 | -1>, sparse?: boolean }> = [
  { key: { a: 1 } }, { key: { a: -1, n: 1 } }, { key: { n: 1, b: 1 } }, { key: { 'a.c': 1 } }, { key: { b: -1 }, sparse: true }
]

async function apply (collection: Collection, step: Step): Promise<unknown> {
  const outcome = async (): Promise<unknown> => {
    if (step.kind === 'update') return (await collection.updateMany(step.filter, step.update)).modifiedCount
    if (step.kind === 'delete') return (await collection.deleteMany(step.filter)).deletedCount
    const documents = await collection.find(step.filter, { sort: { ...step.sort, _id: 1 } }).toArray()
    return { ids: documents.map(({ _id }) => _id as unknown), count: await collection.countDocuments(step.filter) }
  }
  return await outcome().catch((error: unknown) => String(error))
}

await t.test('results are the same with indexes and without', async t => {
  const { db } = await openDatabase()
  const runs = Number(process.env.FUZZ_RUNS ?? 30)
  let round = 0
  await fc.assert(fc.asyncProperty(fc.array(document, { minLength: 1, maxLength: 12 }), fc.array(step, { minLength: 2, maxLength: 6 }), async (documents, steps) => {
    round++
    const [plain, indexed] = [db.collection(`plain${round}`), db.collection(`indexed${round}`)]
    await indexed.createIndexes(INDEXES)
    const numbered = documents.map((fields, _id) => ({ _id, ...fields }))
    for (const collection of [plain, indexed]) await collection.insertMany(numbered as never[], { ordered: false })
    for (const step of steps) {
      const [expected, actual] = [await apply(plain, step), await apply(indexed, step)]
      if (JSON.stringify(expected) !== JSON.stringify(actual)) throw new Error(`${JSON.stringify(step)}: ${JSON.stringify(actual)} with indexes, ${JSON.stringify(expected)} without`)
    }
    await Promise.all([plain.drop(), indexed.drop()])
  }), { numRuns: runs })
  t.ok(round >= runs, 'every round agreed')
})
