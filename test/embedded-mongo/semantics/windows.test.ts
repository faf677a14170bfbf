import { test, type Test } from 'tap'
import { runPipeline, type Document } from '../../../src/embedded-mongo/semantics/index.js'
import { failure, relaxed, wire, wireList } from './helpers.js'

function run (pipeline: object[], input: object[]): unknown {
  const { p } = wire({ p: pipeline }) as { p: Document[] }
  return relaxed([...runPipeline(wireList(input), p, { resolveCollection: () => [] })])
}

const minute = (n: number) => new Date(Date.UTC(2024, 0, 1, 0, n))
const at = (n: number) => ({ $date: minute(n).toISOString().replace('.000', '') })

const laps = [
  { _id: 1, car: 'a', lap: 1, s: 10 },
  { _id: 2, car: 'b', lap: 1, s: 20 },
  { _id: 3, car: 'a', lap: 2, s: 30 },
  { _id: 4, car: 'a', lap: 3, s: 20 },
  { _id: 5, car: 'b', lap: 2, s: null }
]

/** Runs one window function over the laps of each car and lists its results by _id. */
function windowed (output: object, sortBy: object = { lap: 1 }): unknown[] {
  const result = run([{ $setWindowFields: { partitionBy: '$car', sortBy, output: { r: output } } }, { $sort: { _id: 1 } }, { $project: { r: 1 } }], laps)
  return (result as Array<{ r: unknown }>).map(doc => doc.r)
}

const rows: Array<[output: object, expected: unknown[]]> = [
  [{ $sum: '$s' }, [60, 20, 60, 60, 20]],
  [{ $sum: '$s', window: { documents: ['unbounded', 'current'] } }, [10, 20, 40, 60, 20]],
  [{ $avg: '$s', window: { documents: [-1, 0] } }, [10, 20, 20, 25, 20]],
  [{ $max: '$s', window: { documents: ['current', 'unbounded'] } }, [30, 20, 30, 20, null]],
  [{ $push: '$lap', window: { documents: [-1, 1] } }, [[1, 2], [1, 2], [1, 2, 3], [2, 3], [1, 2]]],
  [{ $sum: 1, window: { range: [-1, 0] } }, [1, 1, 2, 2, 2]],
  [{ $count: {}, window: { documents: [1, 2] } }, [2, 1, 1, 0, 0]],
  [{ $rank: {} }, [1, 1, 2, 3, 2]],
  [{ $denseRank: {} }, [1, 1, 2, 3, 2]],
  [{ $documentNumber: {} }, [1, 1, 2, 3, 2]],
  [{ $shift: { output: '$s', by: -1, default: 0 } }, [0, 0, 10, 30, 20]],
  [{ $shift: { output: '$s', by: 1 } }, [30, null, 20, null, null]],
  [{ $expMovingAvg: { input: '$s', alpha: 0.5 } }, [10, 20, 20, 20, null]],
  [{ $derivative: { input: '$s' }, window: { documents: [-1, 0] } }, [null, null, 20, -10, null]],
  [{ $integral: { input: '$s' }, window: { documents: ['unbounded', 'current'] } }, [0, 0, 20, 45, 0]],
  [{ $covariancePop: ['$lap', '$s'], window: { documents: ['unbounded', 'unbounded'] } }, [10 / 3, 0, 10 / 3, 10 / 3, 0]],
  [{ $locf: '$s' }, [10, 20, 30, 20, 20]],
  [{ $first: '$s', window: { documents: [-1, 0] } }, [10, 20, 10, 30, 20]]
]

test('window functions see their neighbours', async t => {
  for (const [output, expected] of rows) t.same(windowed(output), expected, JSON.stringify(output))
})

test('ranks leave gaps after ties, dense ranks do not', async t => {
  const input = [5, 5, 3, 9].map((v, _id) => ({ _id, v }))
  const spec = { $setWindowFields: { sortBy: { v: 1 }, output: { rank: { $rank: {} }, dense: { $denseRank: {} } } } }
  t.same(run([spec], input), [{ _id: 2, v: 3, rank: 1, dense: 1 }, { _id: 0, v: 5, rank: 2, dense: 2 }, { _id: 1, v: 5, rank: 2, dense: 2 }, { _id: 3, v: 9, rank: 4, dense: 3 }])
})

test('range windows of dates count in a unit', async t => {
  const input = [0, 1, 5, 6].map(n => ({ _id: n, at: minute(n) }))
  const spec = { $setWindowFields: { sortBy: { at: 1 }, output: { n: { $sum: 1, window: { range: [-2, 'current'], unit: 'minute' } } } } }
  t.same(run([spec, { $project: { n: 1 } }], input), [{ _id: 0, n: 1 }, { _id: 1, n: 2 }, { _id: 5, n: 1 }, { _id: 6, n: 2 }])
  const slope = { $setWindowFields: { sortBy: { at: 1 }, output: { d: { $derivative: { input: '$_id', unit: 'minute' }, window: { documents: [-1, 0] } } } } }
  t.same(run([slope, { $project: { d: { $round: ['$d', 6] } } }], input), [{ _id: 0, d: null }, { _id: 1, d: 1 }, { _id: 5, d: 1 }, { _id: 6, d: 1 }])
})

function check (t: Test, input: object[], cases: Array<[stage: object, expected: object[]]>): void {
  for (const [stage, expected] of cases) t.same(run([stage], input), expected, JSON.stringify(stage))
}

test('$densify closes gaps of numbers and dates', async t => {
  check(t, [{ v: 1, k: 'a' }, { v: 3, k: 'b' }, { x: 1 }], [
    [{ $densify: { field: 'v', range: { step: 1, bounds: 'full' } } }, [{ x: 1 }, { v: 1, k: 'a' }, { v: 2 }, { v: 3, k: 'b' }]],
    [{ $densify: { field: 'v', range: { step: 1, bounds: [0, 3] } } }, [{ x: 1 }, { v: 0 }, { v: 1, k: 'a' }, { v: 2 }, { v: 3, k: 'b' }]],
    [{ $densify: { field: 'v', partitionByFields: ['k'], range: { step: 1, bounds: 'full' } } },
      [{ x: 1 }, { v: 1, k: 'a' }, { k: 'a', v: 2 }, { k: 'a', v: 3 }, { k: 'b', v: 1 }, { k: 'b', v: 2 }, { v: 3, k: 'b' }]]
  ])
  check(t, [{ at: minute(0) }, { at: minute(30) }], [
    [{ $densify: { field: 'at', range: { step: 15, unit: 'minute', bounds: 'partition' } } }, [{ at: at(0) }, { at: at(15) }, { at: at(30) }]]
  ])
})

test('$fill replaces what is missing', async t => {
  check(t, [{ t: 1, v: 10 }, { t: 2 }, { t: 4, v: null }, { t: 5, v: 50 }, { t: 6 }], [
    [{ $fill: { output: { v: { value: 0 } } } }, [{ t: 1, v: 10 }, { t: 2, v: 0 }, { t: 4, v: 0 }, { t: 5, v: 50 }, { t: 6, v: 0 }]],
    [{ $fill: { sortBy: { t: 1 }, output: { v: { method: 'locf' } } } }, [{ t: 1, v: 10 }, { t: 2, v: 10 }, { t: 4, v: 10 }, { t: 5, v: 50 }, { t: 6, v: 50 }]],
    [{ $fill: { sortBy: { t: 1 }, output: { v: { method: 'linear' } } } }, [{ t: 1, v: 10 }, { t: 2, v: 20 }, { t: 4, v: 40 }, { t: 5, v: 50 }, { t: 6, v: null }]]
  ])
})

test('mistakes in window stages are told', async t => {
  const cases: Array<[stage: object, code: number]> = [
    [{ $setWindowFields: { output: { r: { $rank: {} } } } }, 5371602],
    [{ $setWindowFields: { output: { r: { $nope: 1 } } } }, 9],
    [{ $setWindowFields: { sortBy: { a: 1 }, output: { r: { $sum: 1, window: { documents: [1, -1] } } } } }, 5339900],
    [{ $setWindowFields: {} }, 40414],
    [{ $densify: { field: 'v', range: { step: 0, bounds: 'full' } } }, 5733401],
    [{ $fill: { output: { v: { method: 'linear' } } } }, 605001]
  ]
  for (const [stage, code] of cases) t.equal(failure(() => run([stage], [])).code, code, JSON.stringify(stage))
})
