import { Int32, Long } from 'bson'
import { test, type Test } from 'tap'
import { runPipeline, type Document } from '../../../src/embedded-mongo/semantics/index.js'
import { canonical, failure, wire } from './helpers.js'

const t0 = '2024-03-10T12:34:56.789Z'

function evaluate (expression: unknown): unknown {
  const { p } = wire({ p: [{ $replaceWith: { r: expression } }] }) as { p: Document[] }
  const [result] = runPipeline([wire({ t: new Date(t0), n: null })], p, { resolveCollection: () => [] })
  return result?.r
}

function check (t: Test, rows: Array<[expression: unknown, expected: unknown]>): void {
  for (const [expression, expected] of rows) {
    t.same(canonical(evaluate(expression)), canonical(wire({ value: expected }).value), JSON.stringify(expression))
  }
}

const trunc = (date: string, spec: object) => ({ $dateTrunc: { date: new Date(date), ...spec } })

// Expectations follow the manual's "$dateTrunc": bins count from 2000-01-01 in the zone, weeks from the first week start after.
test('$dateTrunc finds the start of a bin', async t => {
  check(t, [
    [trunc(t0, { unit: 'hour' }), new Date('2024-03-10T12:00:00Z')],
    [trunc(t0, { unit: 'minute', binSize: 15 }), new Date('2024-03-10T12:30:00Z')],
    [trunc(t0, { unit: 'second' }), new Date('2024-03-10T12:34:56Z')],
    [trunc(t0, { unit: 'millisecond', binSize: 100 }), new Date('2024-03-10T12:34:56.700Z')],
    [trunc(t0, { unit: 'day' }), new Date('2024-03-10T00:00:00Z')],
    [trunc(t0, { unit: 'week' }), new Date('2024-03-10T00:00:00Z')],
    [trunc(t0, { unit: 'week', startOfWeek: 'monday' }), new Date('2024-03-04T00:00:00Z')],
    [trunc(t0, { unit: 'month' }), new Date('2024-03-01T00:00:00Z')],
    [trunc(t0, { unit: 'quarter' }), new Date('2024-01-01T00:00:00Z')],
    [trunc(t0, { unit: 'year', binSize: 5 }), new Date('2020-01-01T00:00:00Z')],
    [trunc('1999-12-31T23:00:00Z', { unit: 'hour', binSize: 2 }), new Date('1999-12-31T22:00:00Z')],
    [trunc('2021-03-20T11:30:05Z', { unit: 'week', binSize: 2, timezone: 'America/Los_Angeles', startOfWeek: 'Monday' }), new Date('2021-03-15T07:00:00Z')],
    [trunc('2021-03-20T11:30:05Z', { unit: 'month', binSize: 2 }), new Date('2021-03-01T00:00:00Z')],
    [trunc('2024-01-01T02:00:00Z', { unit: 'day', timezone: 'America/New_York' }), new Date('2023-12-31T05:00:00Z')],
    // The night when Berlin's clocks go forward: the day has 23 hours.
    [trunc('2024-03-31T20:00:00Z', { unit: 'day', timezone: 'Europe/Berlin' }), new Date('2024-03-30T23:00:00Z')],
    [trunc('2024-04-01T20:00:00Z', { unit: 'day', timezone: 'Europe/Berlin' }), new Date('2024-03-31T22:00:00Z')],
    [trunc('2024-03-10T12:34:00Z', { unit: 'hour', timezone: '+05:30' }), new Date('2024-03-10T12:30:00Z')],
    [{ $dateTrunc: { date: '$n', unit: 'day' } }, null]
  ])
})

test('date arithmetic counts in calendar units', async t => {
  check(t, [
    [{ $dateAdd: { startDate: new Date('2024-01-31T10:00:00Z'), unit: 'month', amount: 1 } }, new Date('2024-02-29T10:00:00Z')],
    [{ $dateAdd: { startDate: '$t', unit: 'hour', amount: 25 } }, new Date('2024-03-11T13:34:56.789Z')],
    [{ $dateAdd: { startDate: new Date('2024-03-30T11:00:00Z'), unit: 'day', amount: 1, timezone: 'Europe/Berlin' } }, new Date('2024-03-31T10:00:00Z')],
    [{ $dateSubtract: { startDate: new Date('2024-03-31T00:00:00Z'), unit: 'quarter', amount: 1 } }, new Date('2023-12-31T00:00:00Z')],
    [{ $dateDiff: { startDate: new Date('2023-12-31T23:59:00Z'), endDate: new Date('2024-01-01T00:01:00Z'), unit: 'year' } }, Long.ONE],
    [{ $dateDiff: { startDate: new Date('2024-01-31T00:00:00Z'), endDate: new Date('2024-02-01T00:00:00Z'), unit: 'month' } }, Long.ONE],
    [{ $dateDiff: { startDate: new Date('2024-03-09T12:00:00Z'), endDate: new Date('2024-03-10T12:00:00Z'), unit: 'week' } }, Long.ONE],
    [{ $dateDiff: { startDate: new Date('2024-03-09T12:00:00Z'), endDate: new Date('2024-03-10T12:00:00Z'), unit: 'week', startOfWeek: 'mon' } }, Long.ZERO],
    [{ $dateDiff: { startDate: new Date('2024-03-10T10:59:00Z'), endDate: new Date('2024-03-10T12:01:00Z'), unit: 'hour' } }, Long.fromNumber(2)],
    [{ $dateDiff: { startDate: new Date('2024-03-10T10:00:30Z'), endDate: new Date('2024-03-10T10:00:00Z'), unit: 'second' } }, Long.fromNumber(-30)]
  ])
})

test('date parts are read in a time zone', async t => {
  check(t, [
    [{ $year: '$t' }, 2024],
    [{ $month: { date: '$t' } }, 3],
    [{ $dayOfMonth: { date: '$t', timezone: '+14:00' } }, 11],
    [{ $hour: { date: '$t', timezone: 'America/New_York' } }, 8],
    [{ $hour: { date: new Date('2024-03-10T06:59:00Z'), timezone: 'America/New_York' } }, 1],
    [{ $hour: { date: new Date('2024-03-10T07:00:00Z'), timezone: 'America/New_York' } }, 3],
    [{ $minute: '$t' }, 34],
    [{ $second: '$t' }, 56],
    [{ $millisecond: '$t' }, 789],
    [{ $dayOfWeek: '$t' }, 1],
    [{ $dayOfYear: '$t' }, 70],
    [{ $week: '$t' }, 10],
    [{ $isoWeek: '$t' }, 10],
    [{ $isoDayOfWeek: '$t' }, 7],
    [{ $isoWeekYear: new Date('2021-01-03T00:00:00Z') }, Long.fromNumber(2020)],
    [{ $isoWeek: new Date('2021-01-03T00:00:00Z') }, 53],
    [{ $year: '$n' }, null],
    [{ $dateToParts: { date: '$t', timezone: '+01:00' } }, { year: 2024, month: 3, day: 10, hour: 13, minute: 34, second: 56, millisecond: 789 }],
    [{ $dateToParts: { date: '$t', iso8601: true } }, { isoWeekYear: 2024, isoWeek: 10, isoDayOfWeek: 7, hour: 12, minute: 34, second: 56, millisecond: 789 }],
    [{ $dateFromParts: { year: 2024, month: 14, day: 1, hour: -1 } }, new Date('2025-01-31T23:00:00Z')],
    [{ $dateFromParts: { isoWeekYear: 2024, isoWeek: 10, isoDayOfWeek: 7 } }, new Date('2024-03-10T00:00:00Z')],
    [{ $dateFromParts: { year: 2024, month: 7, timezone: 'Europe/Berlin' } }, new Date('2024-06-30T22:00:00Z')]
  ])
})

test('dates are written and read by a format', async t => {
  check(t, [
    [{ $dateToString: { date: '$t' } }, t0],
    [{ $dateToString: { date: '$t', format: '%Y-%m-%d %H:%M:%S.%L %j %u %w %U %V %G %b %B %z %Z %%', timezone: 'Asia/Kolkata' } }, '2024-03-10 18:04:56.789 070 7 1 10 10 2024 Mar March +0530 +330 %'],
    [{ $dateToString: { date: '$n', onNull: 'none' } }, 'none'],
    [{ $dateFromString: { dateString: '2024-03-10T12:34:56.789Z' } }, new Date(t0)],
    [{ $dateFromString: { dateString: '2024-03-10 12:34', timezone: 'America/New_York' } }, new Date('2024-03-10T16:34:00Z')],
    [{ $dateFromString: { dateString: '10/03/2024', format: '%d/%m/%Y' } }, new Date('2024-03-10T00:00:00Z')],
    [{ $dateFromString: { dateString: '2024-03-10T12:34:56+0200', format: '%Y-%m-%dT%H:%M:%S%z' } }, new Date('2024-03-10T10:34:56Z')],
    [{ $dateFromString: { dateString: 'March 4 2024', format: '%B %d %Y' } }, new Date('2024-03-04T00:00:00Z')],
    [{ $dateFromString: { dateString: 'x', onError: 'bad' } }, 'bad'],
    [{ $dateFromString: { dateString: null, onNull: new Int32(0) } }, 0]
  ])
  t.equal(failure(() => evaluate({ $dateFromString: { dateString: 'x' } })).code, 241)
  t.equal(failure(() => evaluate({ $dateToString: { date: '$t', format: '%q' } })).code, 18536)
})
