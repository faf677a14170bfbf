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
const document = fc.record({ a: value, b: value, s: scalar, n: fc.integer({ min: 0, max: 5 }) }, { requiredKeys: ['n'] })
const path = fc.constantFrom('a', 'b', 'n', 's', 'a.c')
const comparison = fc.constantFrom('$gt', '$gte', '$lt', '$lte')
const condition = fc.oneof(
  scalar, scalar.map(operand => ({ $eq: operand })),
  fc.tuple(fc.oneof(comparison, fc.constant('$ne')), scalar).map(([operator, operand]) => ({ [operator]: operand })),
  fc.tuple(scalar, scalar).map(([min, max]) => ({ $gte: min, $lt: max })),
  fc.array(scalar, { maxLength: 3 }).map(list => ({ $in: list })), fc.boolean().map(exists => ({ $exists: exists }))
)
const fields = fc.array(fc.tuple(path, condition), { maxLength: 3 }).map(pairs => Object.fromEntries(pairs) as Document)
const expression = fc.tuple(fc.oneof(comparison, fc.constant('$eq')), path, scalar, fc.boolean())
  .map(([operator, path, operand, first]) => ({ $expr: { [operator]: first ? [{ $literal: operand }, `$${path}`] : [`$${path}`, { $literal: operand }] } }))
const someOf = fc.array(fc.oneof({ weight: 4, arbitrary: fields }, expression), { minLength: 1, maxLength: 3 })
const number = fc.integer({ min: 0, max: 5 })
const filter: fc.Arbitrary<Document> = fc.oneof(
  { weight: 3, arbitrary: fields },
  // What ranges of one index or of several are merged for.
  { weight: 2, arbitrary: fc.tuple(fc.uniqueArray(number, { minLength: 2 }), fc.oneof(fc.constant({}), fields)).map(([list, fields]) => ({ ...fields, n: { $in: list } })) },
  { weight: 2, arbitrary: fc.tuple(number, number, fields).map(([n, other, fields]) => ({ $or: [{ n }, { ...fields, n: other }] })) },
  fc.tuple(fields, someOf).map(([fields, $or]) => ({ ...fields, $or })),
  fc.tuple(fields, someOf, someOf).map(([fields, $or, others]) => ({ $and: [fields, { $or }, { $or: [...others, { $or: others }] }] })),
  fc.tuple(fields, expression).map(([fields, expression]) => ({ ...fields, ...expression }))
)
const sort = fc.oneof(
  fc.array(fc.tuple(path, fc.constantFrom<1 | -1>(1, -1)), { maxLength: 2 }).map(pairs => Object.fromEntries(pairs)),
  fc.constantFrom<Record<string, 1 | -1>>({}, { _id: -1 }, { s: 1, n: -1 }, { s: -1, n: 1, _id: -1 }, { n: -1 }, { s: 1, _id: -1 }, { s: -1, _id: 1 })
)
const limit = fc.constantFrom(0, 0, 1, 3)
const update = fc.oneof(
  fc.integer({ min: -2, max: 2 }).map(by => ({ $inc: { n: by } })), value.map(a => ({ $set: { a } })), fc.constant({ $unset: { b: '' } }), value.map(b => ({ $set: { b } }))
)
const stage: fc.Arbitrary<Document> = fc.oneof(
  filter.map($match => ({ $match })), fc.constantFrom<Document>({ $set: { b: '$n' } }, { $set: { n: 9 } }, { $unset: 's' }, { $project: { a: 1, n: 1 } }, { $project: { 'a.c': 0 } }, { $unwind: '$a' }, { $unwind: { path: '$b', preserveNullAndEmptyArrays: true } }),
  sort.map(sort => ({ $sort: { ...sort, _id: 1, a: 1, b: 1 } }))
)
const join = fc.oneof(
  fc.tuple(path, path).map(([localField, foreignField]) => ({ localField, foreignField })),
  fc.tuple(path, path, filter).map(([local, foreign, filter]) => ({ let: { v: `$${local}` }, pipeline: [{ $match: { $and: [filter, { $expr: { $eq: [`$${foreign}`, '$$v'] } }] } }, { $sort: { _id: 1 } }] })),
  fc.tuple(path, path, filter).map(([localField, foreignField, $match]) => ({ localField, foreignField, pipeline: [{ $match }, { $sort: { _id: -1 } }] }))
)
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('find' as const), filter, sort, limit, skip: limit }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('aggregate' as const), filter, stages: fc.array(stage, { maxLength: 4 }) }) },
  fc.record({ kind: fc.constant('lookup' as const), filter, join }), fc.record({ kind: fc.constant('graph' as const), filter, path }),
  fc.record({ kind: fc.constant('distinct' as const), filter: fc.oneof(fc.constant({}), filter), path }),
  fc.record({ kind: fc.constant('update' as const), filter, update }), fc.record({ kind: fc.constant('delete' as const), filter: fields })
)
type Step = typeof step extends fc.Arbitrary<infer Kind> ? Kind : never

const INDEXES: Array<{ key: Record<string, 1 | -1>, sparse?: boolean }> = [
  { key: { a: 1 } }, { key: { a: -1, n: 1 } }, { key: { n: 1, b: 1 } }, { key: { 'a.c': 1 } }, { key: { b: -1 }, sparse: true },
  { key: { s: 1, n: -1, _id: 1 } }, { key: { n: 1, s: 1, _id: -1 } }, { key: { n: 1, _id: 1 } }, { key: { s: -1 } }
]

const idsOf = (documents: Document[]): unknown[] => documents.map(({ _id }) => _id as unknown)

async function run (collection: Collection, step: Step): Promise<unknown> {
  switch (step.kind) {
    case 'update': return (await collection.updateMany(step.filter, step.update)).modifiedCount
    case 'delete': return (await collection.deleteMany(step.filter)).deletedCount
    // Which of equal values stands for all is left open.
    case 'distinct': return (await collection.distinct(step.path, step.filter)).map(value => JSON.stringify(value).replace(/\{"\$numberDecimal":"([^"]+)"\}/g, '$1'))
    case 'find': {
      const documents = await collection.find(step.filter, { sort: { ...step.sort, _id: step.sort._id ?? 1 }, limit: step.limit, skip: step.skip }).toArray()
      return { ids: idsOf(documents), count: await collection.countDocuments(step.filter) }
    }
    case 'aggregate': {
      // A fence keeps stages in the order given.
      const fence = collection.collectionName.startsWith('plain') ? [{ $match: { $expr: true } }] : []
      const documents = await collection.aggregate([...step.stages.flatMap(stage => [stage, ...fence]), { $match: step.filter }]).toArray()
      return documents.map(document => JSON.stringify(document)).sort()
    }
    default: {
      const from = collection.collectionName
      const lookup = step.kind === 'lookup' ? { $lookup: { from, ...step.join, as: 'found' } } : { $graphLookup: { from, startWith: `$${step.path}`, connectFromField: 'n', connectToField: step.path, as: 'found' } }
      const documents = await collection.aggregate([{ $match: step.filter }, lookup, { $sort: { _id: 1 } }]).toArray()
      return documents.map(({ _id, found }) => [_id as unknown, idsOf(found as Document[])])
    }
  }
}

async function apply (collection: Collection, step: Step): Promise<unknown> {
  return await run(collection, step).catch((error: unknown) => String(error))
}

await t.test('results are the same with indexes and without', async t => {
  const { db } = await openDatabase()
  const runs = Number(process.env.FUZZ_RUNS ?? 30)
  let round = 0
  await fc.assert(fc.asyncProperty(fc.array(document, { minLength: 1, maxLength: 16 }), fc.array(step, { minLength: 2, maxLength: 6 }), async (documents, steps) => {
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
