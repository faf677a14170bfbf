import { test } from 'tap'
import { compileProjection, compileSort } from '../../../src/embedded-mongo/semantics/index.js'
import { failure, relaxed, wire, wireList } from './helpers.js'

const source = {
  _id: 1,
  a: 5,
  o: { x: 1, y: { z: 2, q: 3 } },
  list: [1, 2, 3, 4],
  docs: [{ k: 'a', v: 1 }, { k: 'b', v: 2 }, { k: 'b', v: 3 }]
}

const { _id, a, o, list, docs } = source

const rows: Array<[projection: object, expected: object, filter?: object]> = [
  [{}, source],
  [{ a: 1 }, { _id, a }],
  [{ a: true, _id: 0 }, { a }],
  [{ _id: 1 }, { _id }],
  [{ _id: 0 }, { a, o, list, docs }],
  [{ a: 0, docs: false }, { _id, o, list }],
  [{ 'o.x': 1, a: 1 }, { _id, a, o: { x: 1 } }],
  [{ o: { y: { z: 1 } } }, { _id, o: { y: { z: 2 } } }],
  [{ 'o.y.z': 0, list: 0, docs: 0 }, { _id, a, o: { x: 1, y: { q: 3 } } }],
  [{ 'docs.k': 1 }, { _id, docs: [{ k: 'a' }, { k: 'b' }, { k: 'b' }] }],
  [{ 'docs.k': 0, o: 0, list: 0 }, { _id, a, docs: [{ v: 1 }, { v: 2 }, { v: 3 }] }],
  [{ 'list.x': 1 }, { _id, list: [] }],
  [{ 'a.x': 1 }, { _id }],
  [{ missing: 1 }, { _id }],
  [{ list: { $slice: 2 }, o: 0, docs: 0 }, { _id, a, list: [1, 2] }],
  [{ list: { $slice: -1 }, a: 1 }, { _id, a, list: [4] }],
  [{ list: { $slice: [1, 2] }, a: 1 }, { _id, a, list: [2, 3] }],
  [{ list: { $slice: [-3, 2] }, a: 1 }, { _id, a, list: [2, 3] }],
  [{ docs: { $elemMatch: { k: 'b' } } }, { _id, docs: [{ k: 'b', v: 2 }] }],
  [{ docs: { $elemMatch: { k: 'z' } } }, { _id }],
  [{ list: { $elemMatch: { $gt: 2 } } }, { _id, list: [3] }],
  [{ 'list.$': 1 }, { _id, list: [3] }, { list: { $gte: 3 } }],
  [{ 'docs.$': 1 }, { _id, docs: [{ k: 'b', v: 3 }] }, { docs: { $elemMatch: { v: { $gt: 2 } } } }],
  [{ 'docs.$': 1, a: 1 }, { _id, a, docs: [{ k: 'b', v: 2 }] }, { 'docs.k': 'b' }],
  [{ sum: { $add: ['$a', 1] } }, { _id, sum: 6 }],
  [{ a: 1, b: '$o.y.z', c: 'text' }, { _id, a, b: 2, c: 'text' }],
  [{ a: '$o.x' }, { _id, a: 1 }],
  [{ a: 1, gone: '$missing' }, { _id, a }],
  [{ 'o.n': { $literal: 1 } }, { _id, o: { n: 1 } }]
]

test('projections keep, drop and compute fields', async t => {
  for (const [projection, expected, filter] of rows) {
    const project = compileProjection(wire(projection), filter === undefined ? {} : { filter: wire(filter) })
    const result = relaxed(project(wire(source)))
    t.same(result, expected, JSON.stringify(projection))
    t.same(Object.keys(result as object), Object.keys(expected))
  }
})

const mistakes: Array<[projection: object, code: number]> = [
  [{ a: 1, b: 0 }, 31254],
  [{ a: 0, b: 1 }, 31253],
  [{ a: 1, 'a.b': 1 }, 31249],
  [{ 'a.b': 1, a: 1 }, 31250],
  [{ a: { $meta: 'textScore' } }, 40218],
  [{ a: {} }, 51270],
  [{ '': 1 }, 40352],
  [{ 'a.': 1 }, 40353],
  [{ $a: 1 }, 16410],
  [{ 'a.$': 1, 'b.$': 1 }, 31276],
  [{ 'a.b': { $elemMatch: { x: 1 } } }, 31275],
  [{ a: { $nope: 1 } }, 168]
]

test('mistakes in projections have the server\'s codes', async t => {
  for (const [projection, code] of mistakes) {
    t.equal(failure(() => compileProjection(wire(projection))).code, code, JSON.stringify(projection))
  }
  const positional = compileProjection(wire({ 'list.$': 1 }), { filter: wire({ a: 5 }) })
  t.equal(failure(() => positional(wire(source))).code, 51246)
})

const sorts: Array<[sort: object, ids: number[]]> = [
  [{ v: 1 }, [4, 5, 1, 3, 2]],
  [{ v: -1 }, [2, 3, 1, 5, 4]],
  [{ 'd.x': 1, _id: -1 }, [5, 4, 3, 2, 1]],
  [{ w: -1, _id: 1 }, [3, 1, 2, 4, 5]]
]

// 4 has an empty array, which sorts before null; 2 has [1, 'x'], which counts as 1 upwards and as 'x' downwards.
test('sorts use the least or greatest array element', async t => {
  const stored = wireList([{ _id: 1, v: 2, w: [1, 9] }, { _id: 2, v: [3, 'x'], w: 8 }, { _id: 3, v: [2.5], w: 10 }, { _id: 4, v: [] }, { _id: 5, w: null }])
  for (const [sort, ids] of sorts) {
    t.same([...stored].sort(compileSort(wire(sort))).map(doc => relaxed(doc._id)), ids, JSON.stringify(sort))
  }
})

test('mistakes in sorts have the server\'s codes', async t => {
  for (const [sort, code] of [[{ a: 2 }, 15975], [{ a: 'x' }, 15974], [{ '': 1 }, 40352], [{ $a: 1 }, 16410]] as const) {
    t.equal(failure(() => compileSort(wire(sort))).code, code, JSON.stringify(sort))
  }
})

test('sorts follow a collation', async t => {
  const stored = wireList([{ s: 'b' }, { s: 'A' }, { s: 'a' }, { s: 'B' }])
  const sorted = [...stored].sort(compileSort(wire({ s: 1 }), { collation: { locale: 'en', strength: 2 } }))
  t.same(sorted.map(doc => doc.s), ['A', 'a', 'b', 'B'])
})
