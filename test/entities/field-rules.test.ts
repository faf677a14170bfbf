import { test } from 'tap'
import { checkFields, fieldBounds } from '../../src/entities/field-rules.js'

const reserved: [string, string][] = [
  ['id', '{"id": 1}'],
  ['_id', '{"_id": 1}'],
  ['createdAt', '{"createdAt": "2026-01-01"}'],
  ['updatedAt', '{"updatedAt": null}'],
  ['a.b', '{"a.b": 1}'],
  ['$set', '{"$set": {}}'],
  ['__proto__', '{"__proto__": {"admin": true}}'],
  ['constructor', '{"constructor": 1}'],
  ['prototype', '{"prototype": 1}'],
  ['_bsontype', '{"_bsontype": "ObjectId"}'],
  ['$gt', '{"nested": {"$gt": ""}}'],
  ['__proto__', '{"list": [{"__proto__": 1}]}'],
  ['x.y', '{"a": {"b": {"x.y": 1}}}']
]

for (const [name, json] of reserved) {
  test(`the reserved name is named in ${json}`, async (t) => {
    t.throws(() => checkFields(JSON.parse(json) as Record<string, unknown>), { code: 'RESERVED_FIELD', errors: [{ path: `/${name}` }] })
  })
}

test('all reserved names are reported together', async (t) => {
  t.throws(() => checkFields({ id: 1, ok: 2, 'a.b': 3 }), { errors: [{ path: '/id' }, { path: '/a.b' }] })
})

test('nested documents may have ids of their own', async (t) => {
  t.doesNotThrow(() => checkFields({ car: { id: 7, createdAt: '2026-01-01', _id: 'x' }, toString: 'x', save: 1, errors: [] }))
})

const nest = (depth: number): Record<string, unknown> => depth === 0 ? {} : { a: nest(depth - 1) }
const excessive: [string, Record<string, unknown>][] = [
  ['too many fields', Object.fromEntries(Array.from({ length: fieldBounds.fields + 1 }, (_, index) => [`f${index}`, 1]))],
  ['too deep a nesting', nest(fieldBounds.depth + 5)],
  ['too long a string', { text: 'x'.repeat(fieldBounds.string + 1) }],
  ['too long a name', { ['n'.repeat(fieldBounds.name + 1)]: 1 }],
  ['too many values', { list: Array.from({ length: fieldBounds.values }, () => 0) }],
  ['an empty name', { '': 1 }],
  ['a null character in a name', { 'a\0b': 1 }]
]

for (const [title, fields] of excessive) {
  test(`an event with ${title} is refused`, async (t) => {
    t.throws(() => checkFields(fields), { code: 'VALIDATION_FAILED', status: 400 })
  })
}

test('a very deep value costs no stack', async (t) => {
  let deep: unknown = 1
  for (let level = 0; level < 100_000; level++) deep = [deep]
  t.throws(() => checkFields({ deep }), { code: 'VALIDATION_FAILED' })
})
