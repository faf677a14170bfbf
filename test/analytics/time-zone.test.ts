import fc from 'fast-check'
import assert from 'node:assert/strict'
import t from 'tap'
import { timeZone } from '../../src/analytics/time-zone.js'
import { comparedRange } from '../../src/analytics/time-range.js'
import { units, type Unit } from '../../src/schemas/analytics.js'

const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'America/Sao_Paulo', 'America/Havana', 'Pacific/Apia', 'Africa/Casablanca']
const hour = 3_600_000

const cases: [string, Unit, string, string, string][] = [
  ['Europe/Berlin', 'day', '2026-03-29T12:00:00Z', '2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z'],
  ['Europe/Berlin', 'day', '2026-10-25T12:00:00Z', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z'],
  ['Europe/Berlin', 'hour', '2026-10-25T00:30:00Z', '2026-10-25T00:00:00Z', '2026-10-25T01:00:00Z'],
  ['Europe/Berlin', 'week', '2026-03-29T12:00:00Z', '2026-03-22T23:00:00Z', '2026-03-29T22:00:00Z'],
  ['Europe/Berlin', 'month', '2026-03-29T12:00:00Z', '2026-02-28T23:00:00Z', '2026-03-31T22:00:00Z'],
  ['Europe/Berlin', 'year', '2026-07-01T00:00:00Z', '2025-12-31T23:00:00Z', '2026-12-31T23:00:00Z'],
  ['Asia/Kolkata', 'hour', '2026-01-01T00:10:00Z', '2025-12-31T23:30:00Z', '2026-01-01T00:30:00Z'],
  ['Asia/Kathmandu', 'day', '2026-01-01T00:00:00Z', '2025-12-31T18:15:00Z', '2026-01-01T18:15:00Z'],
  // Midnight did not exist: clocks went from 23:59:59 to 01:00.
  ['America/Sao_Paulo', 'day', '2018-11-04T12:00:00Z', '2018-11-04T03:00:00Z', '2018-11-05T02:00:00Z'],
  // Midnight came twice: at 01:00 clocks went back to 00:00.
  ['America/Havana', 'day', '2026-11-01T12:00:00Z', '2026-11-01T04:00:00Z', '2026-11-02T05:00:00Z'],
  // 30 December 2011 was skipped by moving across the date line.
  ['Pacific/Apia', 'day', '2011-12-29T20:00:00Z', '2011-12-29T10:00:00Z', '2011-12-30T10:00:00Z']
]
for (const [name, unit, time, floor, next] of cases) {
  t.test(`the ${unit} of ${time} in ${name}`, async (t) => {
    const zone = timeZone(name)
    const start = zone.floor(Date.parse(time), unit)
    t.equal(new Date(start).toISOString(), new Date(floor).toISOString())
    t.equal(new Date(zone.next(start, unit)).toISOString(), new Date(next).toISOString())
  })
}

t.test('units partition time in every zone', async () => {
  fc.assert(fc.property(
    fc.constantFrom(...zones), fc.constantFrom(...units.filter((unit) => unit !== 'minute')),
    fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2035, 0) }),
    (name, unit, ms) => {
      const zone = timeZone(name)
      const start = zone.floor(ms, unit)
      const next = zone.next(start, unit)
      const shown = new Intl.DateTimeFormat('en-CA', { timeZone: name, dateStyle: 'short' })
      if (unit === 'day') {
        assert.equal(shown.format(start), shown.format(ms))
        assert.notEqual(shown.format(start - 1), shown.format(ms))
      }
      return start <= ms && ms < next && (unit === 'hour' || zone.floor(next - 1, unit) === start) && zone.floor(start, unit) === start
    }), { numRuns: 500 })
})

t.test('a year earlier keeps the wall clock', async (t) => {
  const zone = timeZone('Europe/Berlin')
  t.equal(zone.yearBefore(Date.parse('2026-03-29T10:00:00Z')), Date.parse('2025-03-29T11:00:00Z'))
  t.equal(zone.yearBefore(Date.parse('2024-02-29T12:00:00Z')), Date.parse('2023-02-28T12:00:00Z'))
})

t.test('compared ranges lie right before or a year earlier', async (t) => {
  const zone = timeZone('UTC')
  const range = { from: Date.UTC(2026, 4, 10), to: Date.UTC(2026, 4, 17) }
  t.strictSame(comparedRange(range, 'prev', zone), { from: Date.UTC(2026, 4, 3), to: Date.UTC(2026, 4, 10) })
  t.strictSame(comparedRange(range, 'yoy', zone), { from: Date.UTC(2025, 4, 10), to: Date.UTC(2025, 4, 17) })
  const leapDay = comparedRange({ from: Date.UTC(2024, 1, 29), to: Date.UTC(2024, 1, 29) + hour }, 'yoy', zone)
  t.equal(leapDay.to - leapDay.from, hour)
})

for (const name of ['Mars/Olympus', '', '+01:00', 'Europe/Berlin; drop']) {
  t.test(`refuses ${JSON.stringify(name)} as a time zone`, async (t) => {
    t.throws(() => timeZone(name), { code: 'VALIDATION_FAILED', message: /timezone must be an IANA time zone/ })
  })
}
