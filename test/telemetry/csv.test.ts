import fc from 'fast-check'
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { test } from 'tap'
import { formatCsv } from '../../src/telemetry/csv.js'
import { createCsvReader } from '../../src/telemetry/csv-reader.js'
import type { ImportRow, RowReader } from '../../src/telemetry/import-row.js'
import { createNdjsonReader, formatNdjson } from '../../src/telemetry/ndjson.js'
import { numberSources } from '../../src/telemetry/sample-export.js'
import { createImports, MAX_IMPORTS, type ImportSource } from '../../src/telemetry/sample-import.js'
import { PitwallError } from '../../src/errors.js'
import { sourceOf } from '../../src/telemetry/write-permission.js'
import type { Identity } from '../../src/identity/identity.js'
import type { SignalValue } from '../../src/telemetry/signals.js'

interface Row { ts: string, source?: number, values: Record<string, SignalValue> }

async function * each<T> (rows: T[]) { yield * rows }
async function join (parts: AsyncIterable<string>) {
  let text = ''
  for await (const part of parts) text += part
  return text
}

/** Reads a text that comes cut at the given places. */
function readAll (reader: RowReader, text: string, cuts: readonly number[] = []): unknown[] {
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b)
  const rows: ImportRow[] = []
  let start = 0
  for (const end of [...places, text.length]) {
    rows.push(...reader.push(text.slice(start, end)))
    start = end
  }
  return [...rows, ...reader.end()].map((row) => 'sample' in row ? row.sample : row.error)
}

const value = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0), fc.boolean(), fc.string({ maxLength: 20, unit: 'grapheme' }))
const names = ['speed', 'gear', 'a,b', 'Vehicle.Cabin.X']
const rows = fc.array(fc.record({
  ts: fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }).map((date) => date.toISOString()),
  source: fc.integer({ min: 2, max: 999_999 }),
  values: fc.dictionary(fc.constantFrom(...names), value, { minKeys: 1, noNullPrototype: true })
}, { noNullPrototype: true, requiredKeys: ['ts', 'values'] }), { maxLength: 10 })
const cuts = fc.array(fc.nat(), { maxLength: 6 })

test('what CSV exports it imports the same', async (t) => {
  await fc.assert(fc.asyncProperty(rows, cuts, async (samples: Row[], cuts) => {
    assert.deepEqual(readAll(createCsvReader(), await join(formatCsv(names, each(samples))), cuts), samples)
  }), { numRuns: 300 })
})

test('what NDJSON exports it imports the same', async (t) => {
  await fc.assert(fc.asyncProperty(rows, cuts, async (samples: Row[], cuts) => {
    assert.deepEqual(readAll(createNdjsonReader(), await join(formatNdjson(each(samples))), cuts), samples)
  }), { numRuns: 300 })
})

test('CSV takes no text for a formula', async (t) => {
  const text = await join(formatCsv(['note'], each([{ ts: 't', values: { note: '=HYPERLINK("x")' } }])))
  t.equal(text, 'ts,note,#source\r\nt,"\'=HYPERLINK(""x"")",\r\n')
})

const broken: [string, RegExp][] = [
  ['speed\n1', /ts first/],
  ['', /ts first/],
  ['ts,speed,speed\n1,2,3', /names "speed" twice/],
  ['"ts', /Line 1 is not CSV/]
]
for (const [text, message] of broken) {
  test(`CSV ${JSON.stringify(text)} is refused as a whole`, async (t) => {
    t.match(t.throws(() => readAll(createCsvReader(), text)), { code: 'VALIDATION_FAILED', message })
  })
}

test('a row without end is refused before memory is full', async (t) => {
  const reader = createCsvReader()
  reader.push('ts,note\n1,"')
  t.match(t.throws(() => { for (;;) reader.push('x'.repeat(65_536)) }), { code: 'PAYLOAD_TOO_LARGE', message: /Line 2 .* quote/ })
})

test('bad rows of CSV are named and the next ones read', async (t) => {
  t.match(readAll(createCsvReader(), 'ts,speed\nx\n1,2\n1,"a"b\n\n1767225600000,true\n2,"open'), [
    { message: /Line 2 has 1 fields instead of 2/ },
    { ts: 1, values: { speed: 2 } },
    { message: /Line 4 is not CSV/ },
    { ts: 1_767_225_600_000, values: { speed: true } },
    { message: /Line 7 is not CSV/ }
  ])
})

test('bad lines of NDJSON are named and the next ones read', async (t) => {
  const reader = createNdjsonReader()
  t.match(readAll(reader, '{"a":1}\n\n{"a":\n{"__proto__":1}\n2'), [
    { a: 1 }, { code: 'INVALID_JSON', message: /Line 3/ }, { code: 'RESERVED_FIELD', message: /Line 4/ }, 2
  ])
  const long = createNdjsonReader()
  const rows = [...Array(40).keys()].flatMap(() => long.push('x'.repeat(65_536)))
  t.match([...rows, ...long.push('\n{"b":2}\n'), ...long.end()], [{ error: { code: 'PAYLOAD_TOO_LARGE', message: /Line 1 / } }, { sample: { b: 2 } }])
})

// Sources as the store sorts them; those of an import have the importer's name and their number.
const instants = fc.array(fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 6 }), { maxLength: 20 })

test('sources keep their numbers from one import to the next', async () => {
  fc.assert(fc.property(instants, (instants) => {
    const exported = (sources: string[][]) => {
      const numbers = new Map<string, number>()
      return sources.flatMap((names, ts) => numberSources([...names].sort().map((source) => ({ ts, source, values: { s: 1 } })), numbers))
    }
    const first = exported(instants.map((sources) => sources.map((source) => `key-${source}`)))
    const imported: string[][] = instants.map(() => [])
    for (const { ts, source = 1 } of first) imported[Date.parse(ts)]?.push(sourceOf({ id: 'k' } as Identity, source))
    assert.deepEqual(exported(imported), first)
  }), { numRuns: 300 })
})

const scraps = fc.array(fc.oneof(
  fc.constantFrom('"', '""', ',', '\n', '\r\n', '\r', '{', '}', ':', 'ts', '1', '-', 'true', '#source', '__proto__', '\\u0000', '\ud800', ' ', "'", '='),
  fc.string({ maxLength: 3, unit: 'grapheme' })), { maxLength: 40 }).map((parts) => parts.join(''))

test('where any text is cut makes no difference', async () => {
  const outcome = (reader: RowReader, text: string, cuts: number[]) => {
    try {
      return readAll(reader, text, cuts).map((row) => row instanceof Error ? row.message : row)
    } catch (error) {
      assert.ok(error instanceof PitwallError, String(error))
      return error.message
    }
  }
  for (const [create, head] of [[createCsvReader, 'ts,a,b\n'], [createCsvReader, ''], [createNdjsonReader, '']] as const) {
    fc.assert(fc.property(scraps, cuts, (text, cuts) => {
      assert.deepEqual(outcome(create(), head + text, cuts), outcome(create(), head + text, []))
    }), { numRuns: 1000 })
  }
})

/** An import of lines of NDJSON, each piece one of them unless told otherwise. */
const source = (pieces: Iterable<string> | AsyncIterable<string>, store: ImportSource['store']): ImportSource => ({
  bytes: (async function * () { for await (const piece of pieces) yield new TextEncoder().encode(piece) })(),
  reader: createNdjsonReader(),
  store,
  onPiece () {},
  signal: new AbortController().signal
})
const stored = (samples: unknown[]) => ({ accepted: samples.length, duplicates: 0, rejected: [] })

test('no more imports run at once than may', async (t) => {
  const importSamples = createImports()
  const gate = new EventEmitter()
  const waiting = async function * () {
    await once(gate, 'open')
    yield '{}\n'
  }
  const running = Array.from({ length: MAX_IMPORTS }, () => importSamples(source(waiting(), async (samples) => stored(samples))))
  await t.rejects(importSamples(source([], async (samples) => stored(samples))), { code: 'TOO_MANY_REQUESTS', retryAfter: 10 })
  gate.emit('open')
  t.match(await Promise.all(running), Array(MAX_IMPORTS).fill({ accepted: 1 }))
  t.match(await importSamples(source(['{}'], async (samples) => stored(samples))), { accepted: 1 })
})

test('an import reads no further than the store has come', async (t) => {
  const gate = new EventEmitter()
  const progress = { read: 0 }
  let batches = 0
  const lines = function * () { for (; progress.read < 20_000; progress.read++) yield '{"a":1}\n' }
  const done = createImports()(source(lines(), async (samples) => {
    batches++
    await once(gate, 'open')
    return stored(samples)
  }))
  for (let before = -1; before !== progress.read;) {
    before = progress.read
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate)
  }
  t.equal(batches, 2)
  t.ok(progress.read < 3000, `${progress.read} rows read while two batches wait`)
  const opening = setInterval(() => gate.emit('open'), 1)
  t.match(await done, { accepted: 20_000 })
  clearInterval(opening)
})

test('an import waits where others would be turned away', async (t) => {
  let refusals = 3
  const verdict = await createImports()(source(['{}\n{}\n'], async (samples) => {
    if (refusals-- > 0) throw new PitwallError('TOO_MANY_REQUESTS', 'full', { retryAfter: 0.001 })
    return stored(samples)
  }))
  t.match(verdict, { accepted: 2, rejectedTotal: 0 })
})

test('an import that the store ends tells how far it came', async (t) => {
  let batches = 0
  const lines = Array.from({ length: 3000 }, () => '{}\n')
  await t.rejects(createImports()(source(lines, async (samples) => {
    if (++batches > 2) throw new PitwallError('STORE_UNAVAILABLE', 'The database cannot be reached', { retryAfter: 2 })
    return stored(samples)
  })), { code: 'STORE_UNAVAILABLE', retryAfter: 2, message: /^The database cannot be reached; of \d+ rows read before, \d+ were stored now/ })
})
