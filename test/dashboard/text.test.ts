import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import { compareAlerts, describeAlert, readAlert, type AlertItem } from '../../src/dashboard/data/alerts.js'
import { describeEvent } from '../../src/dashboard/data/describe-event.js'
import { formatAge, formatNumber, withUnit } from '../../src/dashboard/data/format.js'
import { readBuckets, readEvent, readSample, readState } from '../../src/dashboard/data/parse.js'
import { adoptSignals, humanise, knownSignals, levelOf, signalInfo } from '../../src/dashboard/data/signals.js'
import { signals } from '../../src/telemetry/signals.js'
import { formatView, parseView, windows, type WindowKey } from '../../src/dashboard/state/view.js'

test('the address holds the view and gives it back', async (t) => {
  const view = fc.record({
    page: fc.constantFrom('live' as const, 'events' as const),
    vehicle: fc.option(fc.string({ minLength: 1 })),
    window: fc.constantFrom(...Object.keys(windows) as WindowKey[]),
    filter: fc.constantFrom('all' as const, 'moving' as const, 'attention' as const),
    search: fc.string(),
    kiosk: fc.boolean(),
    at: fc.option(fc.integer({ min: 0, max: 4_000_000_000_000 }))
  }, { noNullPrototype: true })
  fc.assert(fc.property(view, (given) => { assert.deepEqual(parseView(formatView(given)), given) }))
  t.equal(formatView(parseView('?window=15m&kiosk&nonsense=1')), '?window=15m&kiosk')
  t.equal(formatView(parseView('?window=constructor&filter=x&at=x')), '', 'what it does not know is left out')
})

test('numbers keep their digits and minus sign', async (t) => {
  t.same([formatNumber(6820.4), formatNumber(-0.2), formatNumber(-12), formatNumber(41.25, 1)], ['6,820', '0', '−12', '41.3'])
  t.equal(withUnit('–', 'km/h'), '–')
})

test('ages are told in one unit', async (t) => {
  t.same([0, 400, 4200, 61_000, 7_300_000, 200_000_000].map((age) => formatAge(age).replace('\u00a0', ' ')), ['now', 'now', '4 s', '1 min', '2 h', '2 d'])
})

test('signals read as words', async (t) => {
  t.same(['rearTyrePressure', 'oil_pressure', 'motorRPM', 'brake-bias'].map(humanise), ['Rear tyre pressure', 'Oil pressure', 'Motor RPM', 'Brake bias'])
  t.equal(levelOf(signalInfo('batteryTemperature'), 55), 'warning')
  t.equal(levelOf(signalInfo('gear'), '3'), 'ok')
})

const alert = (fields: Partial<Record<string, unknown>>): AlertItem => {
  const read = readAlert({ id: 'a1', vehicle: 'car-1', rule: 'r', name: 'motorTemperature above 110 °C', signal: 'motorTemperature', severity: 'warning', state: 'open', message: 'motorTemperature 112.4 °C, above 110 °C', value: 112.4, peak: 112.4, openedAt: '2026-01-02T03:04:05.000Z', ...fields })
  if (!read) throw new Error('not an alert')
  return read
}

test('an alert becomes two lines', async (t) => {
  t.same(describeAlert(alert({})), { title: 'Motor temperature 112.4 °C', detail: 'above 110 °C' })
  t.same(describeAlert(alert({ name: 'Cooling', peak: 131, state: 'acknowledged', comment: 'box' })), { title: 'Cooling', detail: 'Motor temperature 112.4 °C, above 110 °C · peak 131\u00a0°C · acknowledged · box' })
  t.match(describeAlert(alert({ name: 'Charge', signal: 'batteryPercentage', message: 'batteryPercentage 30 %, below 33 %', value: 30, peak: 22 })).detail, /below 33 % · lowest 22\s%$/)
  t.same(describeAlert(alert({ name: 'lap without a value for 30 s', signal: 'lap', message: 'lap without a value for 30 s', value: undefined, peak: undefined })), { title: 'Lap without a value for 30 s', detail: '' })
})

test('the most urgent alerts come first', async (t) => {
  const list = [alert({ id: 'seen', severity: 'critical', state: 'acknowledged' }), alert({ id: 'old' }), alert({ id: 'new', openedAt: '2026-01-02T04:00:00Z' }), alert({ id: 'red', severity: 'critical' })]
  t.same(list.sort(compareAlerts).map(({ id }) => id), ['red', 'new', 'old', 'seen'])
})

test('units and thresholds come from the installation', async (t) => {
  t.teardown(() => { adoptSignals(signals) })
  const shown = signalInfo('batteryTemperature')
  t.equal(adoptSignals(signals), false, 'the same says nothing new')
  t.equal(adoptSignals([
    { name: 'batteryTemperature', description: 'Battery', kind: 'number', unit: '°C', range: [0, 60], thresholds: [{ severity: 'critical', above: 45 }], origin: 'overridden' },
    { name: 'tyrePressure', description: 'Tyre', kind: 'number', unit: 'bar', thresholds: [{ severity: 'warning', below: 1.6 }], origin: 'own' }
  ]), true)
  t.equal(signalInfo('batteryTemperature'), shown, 'what holds on to it sees the change')
  t.match(shown, { max: 60, criticalAbove: 45, warnAbove: undefined })
  t.equal(levelOf(signalInfo('tyrePressure'), 1.5), 'warning')
  t.match(signalInfo('tyrePressure'), { unit: 'bar', digits: 1, charted: true })
  t.same(knownSignals, ['batteryTemperature', 'tyrePressure'])
})

const event = (fields: Record<string, unknown>) => {
  const read = readEvent({ id: 'e1', createdAt: '2026-01-02T03:04:05.000Z', updatedAt: '2026-01-02T03:04:05.000Z', ...fields })
  if (!read) throw new Error('not an event')
  return describeEvent(read, (id) => id === 'sim-1' ? 'Car 1' : id)
}

test('an event becomes one line', async (t) => {
  t.same(event({ type: 'pit-stop', vehicle: 'sim-1', duration: 22.4, tyres: 'medium' }), {
    subject: 'Car 1', title: 'Pit stop', detail: 'duration 22.4 · tyres medium', level: 'ok'
  })
  t.same(event({ type: 'lap', vehicle: 'sim-1', message: 'Car 1: lap 3 in 83.211 s', lap: 3 }), {
    subject: 'Car 1', title: 'Lap 3 in 83.211 s', detail: '', level: 'ok'
  })
  t.match(event({ type: 'alert', severity: 'CRITICAL', message: 'Stop' }), { title: 'Stop', detail: 'Alert', level: 'critical' })
  t.match(event({ type: 'data', data: { speed: 12, ok: true } }), { detail: /speed 12.* · ok yes/ })
})

test('odd documents are left out, never guessed', async (t) => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    for (const read of [readSample, readState, readEvent, readBuckets, readAlert, adoptSignals]) assert.doesNotThrow(() => read(value))
  }))
  t.equal(readEvent({ id: 'e1' }), undefined)
  t.equal(readSample({ ts: 'never', values: { speed: 1 } }), undefined)
  t.same(readSample({ ts: 5, values: { speed: 1, nested: {} } }), { ts: 5, values: { speed: 1 } })
})
