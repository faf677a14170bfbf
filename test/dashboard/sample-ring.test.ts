import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import { RollupRing } from '../../src/dashboard/data/rollup-ring.js'
import { SampleRing } from '../../src/dashboard/data/sample-ring.js'
import { alignClock, clockError, clockOffset, serverNow } from '../../src/dashboard/data/clock.js'
import { createScreenLatency } from '../../src/dashboard/data/screen-latency.js'
import { LatencyHistogram } from '../../src/telemetry/latency-histogram.js'

const contents = (ring: SampleRing) => Array.from({ length: ring.length }, (_, row) => [ring.timeAt(row), ring.valueAt('v', row)])

test('a ring keeps the newest rows in order', async (t) => {
  const arrival = fc.record({ time: fc.integer({ min: 1, max: 40 }), value: fc.integer({ min: 0, max: 99 }) })
  fc.assert(fc.property(fc.array(arrival, { maxLength: 60 }), (arrivals) => {
    const ring = new SampleRing(16)
    const model = new Map<number, number>()
    for (const { time, value } of arrivals) {
      const row = ring.rowAt(time)
      const oldest = Math.min(...model.keys())
      if (model.size === 16 && time < oldest) {
        // Older than all that a full ring holds.
        assert.equal(row, -1)
        continue
      }
      if (!model.has(time) && model.size === 16) model.delete(oldest)
      model.set(time, value)
      ring.set(row, 'v', value)
    }
    assert.deepEqual(contents(ring), [...model].sort(([a], [b]) => a - b))
  }))
  t.pass('equal to a sorted map that forgets its oldest')
})

test('a column that starts late has no values before', async (t) => {
  const ring = new SampleRing(4)
  for (const time of [10, 20, 30, 40, 50]) ring.set(ring.rowAt(time), 'v', time)
  ring.set(ring.rowAt(50), 'late', 7)
  t.same([0, 1, 2, 3].map((row) => ring.valueAt('late', row)), [NaN, NaN, NaN, 7])
  t.equal(ring.timeAt(0), 20)
})

test('the value before a time looks back so far', async (t) => {
  const ring = new SampleRing(8)
  ring.set(ring.rowAt(100), 'v', 1)
  ring.set(ring.rowAt(200), 'other', 2)
  t.equal(ring.valueBefore('v', 250, 200), 1)
  t.equal(ring.valueBefore('v', 100, 0), 1)
  t.ok(Number.isNaN(ring.valueBefore('v', 250, 100)), 'too long ago')
  t.ok(Number.isNaN(ring.valueBefore('v', 99, 1000)), 'not yet')
  t.ok(Number.isNaN(ring.valueBefore('nothing', 250, 1000)))
})

test('rollups equal what the samples say', async (t) => {
  const sample = fc.record({ ts: fc.integer({ min: 0, max: 9999 }), value: fc.integer({ min: -50, max: 50 }) })
  fc.assert(fc.property(fc.array(sample, { minLength: 1, maxLength: 80 }), (samples) => {
    const ring = new RollupRing(1000, 16)
    for (const { ts, value } of samples) ring.add('v', ts, value)
    for (let row = 0; row < ring.rows.length; row++) {
      const start = ring.rows.timeAt(row)
      const values = samples.filter(({ ts }) => ts >= start && ts < start + 1000).map(({ value }) => value)
      assert.equal(ring.part('v', 'count', row), values.length)
      assert.equal(ring.part('v', 'min', row), Math.min(...values))
      assert.equal(ring.part('v', 'max', row), Math.max(...values))
      assert.ok(Math.abs(ring.part('v', 'mean', row) - values.reduce((sum, value) => sum + value, 0) / values.length) < 1e-9)
    }
  }))
  t.pass('lowest, highest, mean and count of each bucket')
})

test('stored buckets give way to fuller live ones', async (t) => {
  const ring = new RollupRing(1000, 16)
  const stored = { t: 5000, min: 0, max: 9, mean: 5, last: 9, count: 3 }
  for (let index = 0; index < 5; index++) ring.add('v', 5000 + index, index)
  ring.addBucket('v', stored)
  t.equal(ring.part('v', 'max', 0), 4)
  ring.addBucket('v', { ...stored, count: 50 })
  t.equal(ring.part('v', 'max', 0), 9)
})

test('the screen is late until the frame after the one painted', async (t) => {
  const latency = createScreenLatency()
  t.equal(latency.read(), null)
  for (let frame = 0; frame < 100; frame++) {
    const now = 1000 + frame * 16
    latency.frame(now)
    // Two come between two frames; the older is never seen by itself.
    latency.arrived(now - 12)
    latency.arrived(now - 4)
  }
  t.strictSame(latency.read(), { median: 36, high: 36, count: 98, clockAhead: false }, '4 ms to the page, 16 to the frame that paints it, 16 until that is over')
  latency.frame(2700)
  t.match(latency.read(), { median: 36, high: 136, count: 99 })
})

test('time out of sight and another vehicle do not count', async (t) => {
  const latency = createScreenLatency()
  latency.arrived(1000)
  latency.frame(1010)
  latency.skip()
  latency.frame(60_000)
  t.equal(latency.read(), null)
  latency.arrived(60_100)
  latency.frame(60_050)
  latency.frame(60_066)
  t.strictSame(latency.read(), { median: 0, high: 0, count: 1, clockAhead: true }, 'a sensor ahead of the server')
  latency.forget()
  t.equal(latency.read(), null)
})

test('the quickest of the last answers sets the clock', async (t) => {
  t.equal(clockError(), Infinity)
  alignClock({ roundTrip: 80, offset: 38 })
  t.equal(clockOffset(), 0, 'it may as well be the same')
  alignClock({ roundTrip: 4, offset: 30 })
  t.equal(clockOffset(), 30)
  t.equal(clockError(), 3)
  t.ok(serverNow() - Date.now() <= 1, 'too little to move charts by')
  for (let count = 0; count < 8; count++) alignClock({ roundTrip: 20, offset: -5000 + count })
  t.equal(clockOffset(), -5000, 'old answers are forgotten')
  t.ok(Math.abs(serverNow() - Date.now() + 5000) <= 1)
  alignClock({ roundTrip: 40, offset: 3_600_000 })
  t.equal(clockOffset(), 3_600_000, 'a clock that was set is known by the next answer')
})

test('the quantiles of a histogram are off by two percent at most', async () => {
  const times = fc.array(fc.double({ min: 0.001, max: 2_000_000, noNaN: true }), { minLength: 1, maxLength: 200 })
  fc.assert(fc.property(times, fc.constantFrom(0.5, 0.9, 0.99, 1), (times, share) => {
    const histogram = new LatencyHistogram()
    for (const time of times) histogram.observe(time, 1, 0)
    const exact = [...times].sort((a, b) => a - b)[Math.ceil(times.length * share) - 1] ?? NaN
    // A microsecond is the finest there is.
    return Math.abs(histogram.quantile(share, 0) - exact) <= 0.02 * exact + 0.001 && histogram.count === times.length
  }))
})

test('quantiles are those of the last minute', async (t) => {
  const histogram = new LatencyHistogram()
  t.ok(Number.isNaN(histogram.quantile(0.5, 0)))
  histogram.observe(100, 10, 1000)
  histogram.observe(1, 5, 40_000)
  t.ok(Math.abs(histogram.quantile(0.5, 40_000) - 100) < 2, 'both windows count')
  t.ok(Math.abs(histogram.quantile(0.5, 75_000) - 1) < 0.02, 'the older is gone')
  t.ok(Number.isNaN(histogram.quantile(0.5, 200_000)))
  t.equal(histogram.count, 15)
  t.equal(histogram.sum, 1005)
})
