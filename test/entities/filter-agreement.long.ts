import fc from 'fast-check'
import { test } from 'tap'
import { compileFilter } from '../../src/entities/filter.js'
import { compilePredicate } from '../../src/entities/filter-predicate.js'
import { startApp } from '../helpers/build-app.js'

const scalar = fc.oneof(
  fc.constantFrom<string | number | boolean | null>(0, 1, -1, 1.5, '', 'a', 'b', 'é', '\u{1F600}', '\uFFFD', true, false, null),
  fc.integer({ min: -3, max: 3 })
)
const value = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }), fc.constant({ nested: 1 }))
const fields = fc.dictionary(fc.constantFrom('a', 'b', 'c'), value, { maxKeys: 3 })
const bound = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom('', 'a', 'b', 'é', '\uFFFD', '\u{1F600}'))
const condition = fc.oneof(
  scalar,
  fc.record({ $eq: scalar }),
  fc.record({ $ne: scalar }),
  fc.record({ $in: fc.array(scalar, { maxLength: 3 }) }),
  fc.record({ $nin: fc.array(scalar, { maxLength: 3 }) }),
  fc.record({ $exists: fc.boolean() }),
  fc.record({ $gt: bound, $lte: bound }, { requiredKeys: [] }).filter((tests) => Object.keys(tests).length > 0),
  fc.record({ $gte: bound, $lt: bound }, { requiredKeys: [] }).filter((tests) => Object.keys(tests).length > 0)
)
const filters = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'missing'), condition, { maxKeys: 2 })

test('a filter in memory agrees with the store', async (t) => {
  const { app } = await startApp(t)
  const { events } = app.entities
  const samples = fc.sample(fields, { numRuns: 150, seed: 7 })
  await Promise.all(samples.map((sample) => events.create(sample)))
  const { data } = await events.fetch({ limit: 1000 })
  t.equal(data.length, samples.length)

  await fc.assert(fc.asyncProperty(filters, async (filter) => {
    const matches = compilePredicate(filter)
    const found = await events.fetch({ filter, limit: 1000 })
    const expected = data.filter((event) => matches(event)).map(({ id }) => id)
    return JSON.stringify(found.data.map(({ id }) => id)) === JSON.stringify(expected)
  }), { numRuns: 80 })
})

test('times agree with the store', async (t) => {
  const { app } = await startApp(t)
  const { events } = app.entities
  for (let n = 0; n < 5; n++) await events.create({ n })
  const { data } = await events.fetch()
  for (const { createdAt } of data) {
    for (const filter of [{ createdAt }, { createdAt: { $gt: createdAt } }, { createdAt: { $in: [createdAt] } }, { createdAt: { $ne: Date.parse(createdAt) } }, { updatedAt: { $lte: createdAt } }]) {
      const found = (await events.fetch({ filter })).data
      t.strictSame(found, data.filter(compilePredicate(filter)), JSON.stringify(filter))
      t.doesNotThrow(() => compileFilter(filter))
    }
  }
})
