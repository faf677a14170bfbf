import { test } from 'tap'
import { buildView, type ChartData } from '../../src/dashboard/charts/build-view.js'
import { groupSignals } from '../../src/dashboard/charts/chart-groups.js'
import { createRange, roundUp, timeSplits } from '../../src/dashboard/charts/scales.js'
import { summarise } from '../../src/dashboard/charts/summarise.js'
import { thresholdBands } from '../../src/dashboard/charts/threshold-bands.js'
import { signalInfo } from '../../src/dashboard/data/signals.js'
import type { Reading } from '../../src/dashboard/data/types.js'
import { addSample, addStoredValues, createHistory, holdHistory, sessionStart, valueAt } from '../../src/dashboard/data/vehicle-history.js'

const start = 1_700_000_000_000

function history (seconds: number[], values: (second: number) => Record<string, number | string>) {
  const made = createHistory('car-1')
  for (const second of seconds) addSample(made, { ts: start + second * 1000, values: values(second) })
  return made
}

const view = (made: ReturnType<typeof createHistory>, signals: string[], from: number, to: number, detail: 'raw' | 'rollup') => {
  const out: ChartData = [[]]
  buildView(made, signals, start + from * 1000, start + to * 1000, detail, out)
  return out
}

const tenths = (from: number, to: number) => Array.from({ length: Math.round((to - from) * 10) }, (_, index) => from + index / 10)

test('silence is a gap in the line', async (t) => {
  const made = history([...tenths(0, 5), ...tenths(8, 10)], (second) => ({ speed: second }))
  const [times, speed = []] = view(made, ['speed'], 0, 10, 'raw')
  t.equal(speed.filter((cell) => cell === null).length, 1)
  const place = speed.indexOf(null)
  t.ok((times[place] ?? 0) > start + 4900 && (times[place] ?? 0) < start + 8000, 'between the two stretches')
  t.equal(times.length, speed.length)
  t.same([...times].sort((a, b) => a - b), times)
})

test('a slower signal is joined across the rows of a faster one', async (t) => {
  const made = history(tenths(0, 10), (second) => ({ fast: second, ...(Number.isInteger(second) && { slow: second }) }))
  const [, , slow = []] = view(made, ['fast', 'slow'], 0, 10, 'raw')
  t.notOk(slow.includes(null))
  t.equal(slow.filter((cell) => cell !== undefined).length, 10)
})

test('neighbouring values with a gap get a row between', async (t) => {
  const made = history([...tenths(0, 3), 30], (second) => ({ speed: second }))
  const [times, speed = []] = view(made, ['speed'], 0, 40, 'raw')
  t.same(speed.slice(-3).map((cell) => cell === null), [false, true, false])
  t.equal(times.length, 32)
})

test('long windows keep lowest, mean and highest', async (t) => {
  const made = history(tenths(0, 300), (second) => ({ speed: second % 1 === 0 ? 100 : 10 }))
  const [times, mean = [], max = [], min = []] = view(made, ['speed'], 0, 300, 'rollup')
  t.equal(times.length, 300)
  t.same([min[5], mean[5], max[5]], [10, 19, 100])
})

test('a held view keeps its past for as long as it is held', async (t) => {
  const seconds = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index)
  const made = history(seconds(0, 1024), (second) => ({ speed: second }))
  const quarter = () => view(made, ['speed'], 124, 1024, 'rollup')
  const before = structuredClone(quarter())
  t.equal(before[0].length, 901)
  holdHistory(made, true)
  const later = (from: number, to: number) => { for (const second of seconds(from, to)) addSample(made, { ts: start + second * 1000, values: { speed: second } }) }
  later(1024, 1600)
  t.same(quarter(), before)
  t.equal(valueAt(made, 'speed', start + 1_590_000, 1000, false), 1590, 'what has room is collected')
  t.equal(holdHistory(made, false), true, 'the rest is to be read again')
  later(1600, 1800)
  t.not(quarter()[0][0], before[0][0], 'and the oldest gives way')
  t.equal(holdHistory(made, true), false)
})

test('a session begins after the last long pause', async (t) => {
  const made = history([0, 15, 30, 2000, 2015, 2030], () => ({ speed: 1 }))
  t.equal(sessionStart(made, start + 2_040_000), Math.floor((start + 2_000_000) / 15_000) * 15_000)
})

test('stored values go in front of live ones, texts too', async (t) => {
  const made = history([10, 11], () => ({ speed: 50, gear: '3' }))
  addStoredValues(made, 'speed', [{ t: start, v: 40 }, { t: start + 1000, v: 41 }])
  addStoredValues(made, 'gear', [{ t: start, v: '2' }])
  t.equal(made.raw.length, 4)
  t.equal(valueAt(made, 'speed', start + 1500, 2000, false), 41)
  t.equal(valueAt(made, 'gear', start + 1500, 2000, true), '2')
  t.equal(valueAt(made, 'gear', start + 12_000, 2000, true), '3')
})

test('the table holds what the chart draws', async (t) => {
  const made = history(tenths(0, 60), (second) => ({ speed: second }))
  const rows = summarise(made, ['speed'], start, start + 120_000, 12)
  t.equal(rows.length, 12)
  t.equal(rows[0]?.cells[0], null, 'nothing in the second minute')
  t.match(rows[11]?.cells[0], { min: 0, max: 9.9, count: 100 })
})

test('signals are charted by quantity, one unit each', async (t) => {
  const names = ['batteryTemperature', 'gear', 'motorTemperature', 'oilPressure', 'speed', 'latitude', 'batteryPercentage']
  const readings = new Map(names.map((name): [string, Reading] => [name, { value: name === 'gear' ? '3' : 1, ts: 0, seen: 0 }]))
  const groups = groupSignals(readings)
  t.same(groups.map(({ title, signals }) => [title, signals.length]), [['Speed', 1], ['Battery', 1], ['Temperature', 2], ['Oil pressure', 1]])
  for (const { unit, signals } of groups) t.ok(signals.every((signal) => signal.unit === unit))
})

test('scales are round and stay put', async (t) => {
  t.same([0.3, 1, 1.1, 24, 260, 7001].map(roundUp), [0.5, 1, 2, 25, 500, 10_000])
  const [speed] = groupSignals(new Map([['speed', { value: 1, ts: 0, seen: 0 }]]))
  if (!speed) throw new Error('no group')
  const range = createRange(speed)
  const first = range(80, 140)
  t.equal(first[0], 0)
  t.ok(first[1] >= 140)
  t.same(range(90, 130), first, 'no jump for less')
  t.ok(range(90, 240)[1] >= 240, 'room for more')
})

test('time marks stand on round seconds', async (t) => {
  const marks = timeSplits(start + 123, start + 60_123, 8)
  t.ok(marks.length >= 4 && marks.length <= 8)
  for (const mark of marks) t.equal(mark % 10_000, 0)
})

test('limits become bands of attention and stop', async (t) => {
  t.same(thresholdBands([signalInfo('batteryPercentage')]), [
    { from: 10, to: 20, critical: false }, { from: -Infinity, to: 10, critical: true }
  ])
  t.same(thresholdBands([signalInfo('motorTemperature'), signalInfo('batteryTemperature')]), [], 'not where lines differ')
})
