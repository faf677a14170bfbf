import fc from 'fast-check'
import { test } from 'tap'
import { PitwallError } from '../../src/errors.js'
import { createIsoTime } from '../../src/telemetry/iso-time.js'
import { checkSample, checkStatus } from '../../src/telemetry/sample-input.js'

const now = Date.parse('2026-06-01T12:00:00Z')

const kept: [string, Record<string, unknown>, Record<string, unknown>][] = [
  ['numbers, flags and texts', { speed: 80.5, doorOpen: true, driver: 'Ada' }, { speed: 80.5, doorOpen: true, driver: 'Ada' }],
  ['a gear as text or number', { gear: 'N/N' }, { gear: 'N/N' }],
  ['a VSS path as its signal', { 'Vehicle.Speed': 120 }, { speed: 120 }],
  ['VSS metres as kilometres', { 'Vehicle.TraveledDistance': 12_500 }, { odometer: 12.5 }],
  ['VSS gears as shown', { 'Vehicle.Powertrain.Transmission.CurrentGear': 0 }, { gear: 'N' }],
  ['a VSS lamp as its colour', { 'Vehicle.OBD.Status.IsMILOn': true }, { engineLight: 'amber' }],
  ['the same value under both names', { speed: 50, 'Vehicle.Speed': 50 }, { speed: 50 }],
  ['an unknown VSS path', { 'Vehicle.Cabin.Seat.Row1.Position': 3 }, { 'Vehicle.Cabin.Seat.Row1.Position': 3 }],
  ['names with other letters', { Öldruck: 4.1, 'tyre-pressure/front left': 2.2 }, { Öldruck: 4.1, 'tyre-pressure/front left': 2.2 }],
  ['a text of 256 characters', { note: 'x'.repeat(256) }, { note: 'x'.repeat(256) }],
  ['the bounds of a range', { batteryPercentage: 100, latitude: -90 }, { batteryPercentage: 100, latitude: -90 }],
  ['a motor in reverse', { motorRPM: -300 }, { motorRPM: -300 }]
]

for (const [what, status, values] of kept) {
  test(`a status keeps ${what}`, async (t) => {
    t.same(checkStatus(status, now).values, values)
  })
}

const refused: [string, unknown, string, RegExp][] = [
  ['no object', [], 'VALIDATION_FAILED', /object/],
  ['no signal', { vehicle: 'car-7' }, 'VALIDATION_FAILED', /no signal/],
  ['NaN', { speed: Number.NaN }, 'VALIDATION_FAILED', /speed is not a finite number/],
  ['an infinite number', { speed: Infinity }, 'VALIDATION_FAILED', /speed/],
  ['null', { speed: null }, 'VALIDATION_FAILED', /speed must be/],
  ['an object as value', { speed: { $gt: 0 } }, 'VALIDATION_FAILED', /speed must be/],
  ['a list as value', { tyres: [1, 2] }, 'VALIDATION_FAILED', /tyres must be/],
  ['a text too long', { note: 'x'.repeat(257) }, 'VALIDATION_FAILED', /note is longer than 256/],
  ['a text for a number', { motorRPM: '4200' }, 'VALIDATION_FAILED', /motorRPM must be a number/],
  ['more than a full battery', { batteryPercentage: 100.1 }, 'VALIDATION_FAILED', /batteryPercentage must be between 0 and 100/],
  ['a place off the globe', { 'Vehicle.CurrentLocation.Latitude': 91 }, 'VALIDATION_FAILED', /Latitude must be between/],
  ['two values for one signal', { speed: 50, 'Vehicle.Speed': 51 }, 'VALIDATION_FAILED', /same signal/],
  ['an operator as name', { $set: 1 }, 'VALIDATION_FAILED', /\$set/],
  ['a name of 129 characters', { ['n'.repeat(129)]: 1 }, 'VALIDATION_FAILED', /name/],
  ['a reserved name', { online: true }, 'RESERVED_FIELD', /online/],
  ['a name objects have', { toString: 'x' }, 'RESERVED_FIELD', /toString/],
  ['a prototype', JSON.parse('{"__proto__": 1}'), 'RESERVED_FIELD', /__proto__/],
  ['a BSON type', { _bsontype: 'ObjectId' }, 'RESERVED_FIELD', /_bsontype/],
  ['a vehicle that is no name', { vehicle: '../x', speed: 1 }, 'VALIDATION_FAILED', /vehicle/],
  ['a vehicle that is a number', { vehicle: 7, speed: 1 }, 'VALIDATION_FAILED', /vehicle/],
  ['a time without offset', { ts: '2026-06-01T12:00:00', speed: 1 }, 'VALIDATION_FAILED', /ts/],
  ['a time that is none', { ts: 'yesterday', speed: 1 }, 'VALIDATION_FAILED', /ts/],
  ['a negative time', { ts: -1, speed: 1 }, 'VALIDATION_FAILED', /ts/],
  ['a clock far ahead', { ts: now + 3_600_001, speed: 1 }, 'CLOCK_SKEW', /3600 s ahead/],
  ['too many signals', Object.fromEntries(Array.from({ length: 513 }, (_, index) => [`s${index}`, index])), 'VALIDATION_FAILED', /512/]
]

for (const [what, status, code, message] of refused) {
  test(`a status refuses ${what}`, async (t) => {
    const error = t.throws(() => checkStatus(status, now), PitwallError)
    t.match(error, { code, message })
  })
}

const times: [unknown, number | undefined][] = [
  ['2026-06-01T12:00:00Z', now],
  ['2026-06-01T14:00:00.250+02:00', now + 250],
  [now - 5, now - 5],
  [now + 0.7, now],
  [now + 3_600_000, now + 3_600_000],
  [0, 0],
  [undefined, undefined]
]

for (const [given, ts] of times) {
  test(`a sample at ${String(given)} gets its time`, async (t) => {
    t.equal(checkSample({ ts: given, values: { speed: 1 } }, now).ts, ts)
  })
}

test('a sample refuses fields of its own', async (t) => {
  t.match(t.throws(() => checkSample({ ts: now, speed: 1 }, now)), { code: 'VALIDATION_FAILED', message: /speed/ })
  t.match(t.throws(() => checkSample({ ts: now, values: 3 }, now)), { code: 'VALIDATION_FAILED', message: /values/ })
})

test('times are written as ISO 8601 has them', async () => {
  const isoTime = createIsoTime()
  const anyTime = fc.oneof(fc.integer({ min: now, max: now + 3000 }), fc.integer({ min: 0, max: 8_640_000_000_000_000 }))
  fc.assert(fc.property(anyTime, (time) => isoTime(time) === new Date(time).toISOString()), { numRuns: 2000 })
})
