import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'tap'
import { formatCsv, parseCsv } from '../../src/telemetry/csv.js'
import { formatNdjson, parseNdjson } from '../../src/telemetry/ndjson.js'
import type { SignalValue } from '../../src/telemetry/signals.js'

interface Row { ts: string, values: Record<string, SignalValue> }

async function * each<T> (rows: T[]) { yield * rows }
async function join (parts: AsyncIterable<string>) {
  let text = ''
  for await (const part of parts) text += part
  return text
}

const value = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0), fc.boolean(), fc.string({ maxLength: 20, unit: 'grapheme' }))
const names = ['speed', 'gear', 'a,b', 'Vehicle.Cabin.X']
const rows = fc.array(fc.record({
  ts: fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }).map((date) => date.toISOString()),
  values: fc.dictionary(fc.constantFrom(...names), value, { minKeys: 1, noNullPrototype: true })
}, { noNullPrototype: true }), { maxLength: 10 })

test('what CSV exports it imports the same', async (t) => {
  await fc.assert(fc.asyncProperty(rows, async (samples: Row[]) => {
    assert.deepEqual(parseCsv(await join(formatCsv(names, each(samples)))), samples)
  }), { numRuns: 200 })
})

test('what NDJSON exports it imports the same', async (t) => {
  await fc.assert(fc.asyncProperty(rows, async (samples: Row[]) => {
    assert.deepEqual(parseNdjson(await join(formatNdjson(each(samples)))), samples)
  }), { numRuns: 200 })
})

test('CSV takes no text for a formula', async (t) => {
  const text = await join(formatCsv(['note'], each([{ ts: 't', values: { note: '=HYPERLINK("x")' } }])))
  t.equal(text, 'ts,note\r\nt,"\'=HYPERLINK(""x"")"\r\n')
})

const broken: [string, RegExp][] = [
  ['speed\n1', /ts first/],
  ['', /ts first/],
  ['ts,speed\nx', /Line 2 has 1 fields instead of 2/],
  ['ts,speed\nx,"open', /Line 2 is not CSV/]
]
for (const [text, message] of broken) {
  test(`CSV ${JSON.stringify(text)} is refused with its line`, async (t) => {
    t.match(t.throws(() => parseCsv(text)), { code: 'VALIDATION_FAILED', message })
  })
}

test('NDJSON names the line that is broken', async (t) => {
  t.match(t.throws(() => parseNdjson('{}\n\n{"a":')), { code: 'INVALID_JSON', message: /Line 3/ })
})
