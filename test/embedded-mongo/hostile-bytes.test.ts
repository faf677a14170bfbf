import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import fc from 'fast-check'
import { MinKey, ObjectId, serialize } from 'bson'
import t from 'tap'
import { CommandError, deserializeDocument, type Document } from '../../src/embedded-mongo/semantics/index.js'
import { ClusterClock } from '../../src/embedded-mongo/storage/cluster-time.js'
import { prepareInsert } from '../../src/embedded-mongo/writes/prepare-document.js'
import { openStore } from './helper.js'
import { canonical, corrupted, documents } from './semantics/helpers.js'

function message (body: Uint8Array, opCode = 2013, flags = 0): Buffer {
  const bytes = Buffer.alloc(21 + body.length)
  bytes.writeInt32LE(bytes.length, 0)
  bytes.writeInt32LE(7, 4)
  bytes.writeInt32LE(opCode, 12)
  bytes.writeUInt32LE(flags, 16)
  bytes.set(body, 21)
  return bytes
}

/** `{a: {a: {a: …}}}` in bytes, deeper than any stack. */
function nested (depth: number): Buffer {
  const bytes = Buffer.alloc(depth * 8 + 5)
  for (let level = 0; level < depth; level++) {
    bytes.writeInt32LE(bytes.length - level * 8, level * 7)
    bytes.write('\u0003a\0', level * 7 + 4, 'latin1')
  }
  bytes.writeInt32LE(5, depth * 7)
  return bytes
}

async function sendAndWait (port: number, bytes: Uint8Array): Promise<void> {
  const socket: Socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  const ended = Promise.race([once(socket, 'close'), once(socket, 'data')])
  socket.end(bytes)
  await ended
  socket.destroy()
}

const ping = Buffer.from(serialize({ ping: 1, $db: 'admin' }))
const badLengths = [0, 3, 15, 48_000_001, -1, 0x7FFFFFFF].map(length => {
  const bytes = message(ping)
  bytes.writeInt32LE(length, 0)
  return bytes
})

await t.test('bytes that are no messages never stop the server', { timeout: 120_000 }, async t => {
  const { client, mongo } = await openStore(t, { port: 0 })
  const port = Number(new URL(mongo.tcpUri!).port)
  const cases: Record<string, Buffer[]> = {
    'impossible lengths': badLengths,
    'unknown operations and flags': [message(ping, 2012), message(ping, 1), message(ping, 2013, 4), message(ping, 2013, 1)],
    'truncated and broken documents': [message(ping.subarray(0, 9)), message(Buffer.from([5, 0, 0, 0, 1])), message(Buffer.from([0xFF, 0xFF, 0xFF, 0x7F, 0]))],
    'nesting without end': [message(nested(100_000)), message(nested(250))],
    'an HTTP request': [Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')]
  }
  for (const [name, messages] of Object.entries(cases)) {
    for (const bytes of messages) await sendAndWait(port, bytes)
    t.equal((await client.db('admin').command({ ping: 1 })).ok, 1, name)
  }
  await fc.assert(fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.nat(ping.length + 20), fc.boolean(), async (noise, at, keepsLength) => {
    const bytes = message(ping)
    bytes.set(noise.subarray(0, bytes.length - Math.min(at, bytes.length)), Math.min(at, bytes.length))
    if (keepsLength) bytes.writeInt32LE(bytes.length, 0)
    await sendAndWait(port, bytes)
  }), { numRuns: Number(process.env.FUZZ_RUNS ?? 100) })
  t.equal((await client.db('admin').command({ ping: 1 })).ok, 1, 'random damage')
})

await t.test('commands with wrong types get an error each', async t => {
  const { client, db } = await openStore(t)
  const commands = [
    { find: 1 }, { find: 'c', filter: 1 }, { find: 'c', sort: 'a' }, { find: 'c', limit: 'x' }, { find: '' }, { insert: 'c' }, { insert: 'c', documents: 1 },
    { insert: 'c', documents: [1] }, { update: 'c', updates: [{ q: 1, u: 2 }] }, { delete: 'c', deletes: [{ q: {}, limit: 7 }] }, { aggregate: 'c', pipeline: {}, cursor: {} },
    { aggregate: 'c', pipeline: [1], cursor: {} }, { getMore: 'x', collection: 1 }, { createIndexes: 'c', indexes: [{ key: { a: 'x' }, name: 'n' }] },
    { find: 'c', filter: { $where: 'true' } }, { find: 'c', filter: { a: { $bogus: 1 } } }, { findAndModify: 'c' }, { noSuchCommand: 1 }, { killCursors: 'c', cursors: 1 }
  ]
  for (const command of commands) {
    const error = await db.command(command).catch((error: unknown) => error) as { code?: number, codeName?: string }
    t.type(error.code, 'number', JSON.stringify(command))
    t.not(error.code, 1, `${JSON.stringify(command)} is not an internal error`)
  }
  t.equal((await db.command({ noSuchCommand: 1 }).catch((error: unknown) => error) as { code: number }).code, 59)
  t.equal((await client.db('admin').command({ ping: 1 })).ok, 1)
})

/** What a function gives, or the error it throws. */
function outcome<T> (run: () => T): { result: T } | { code: number, message: string } {
  try {
    return { result: run() }
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    return { code: error.code, message: error.message }
  }
}

await t.test('an insert keeps or refuses any bytes as decoding does', async t => {
  const place = fc.constantFrom('first', 'middle', 'last', 'missing')
  const id = fc.oneof(fc.constant(new ObjectId()), fc.constantFrom<unknown>(1, 'a', 'é', null, [1], { a: 1 }, { $a: 1 }, { $ref: 'c', $id: 1 }))
  const text = fc.constantFrom('plain', 'zürich', 'a\0b')
  fc.assert(fc.property(documents, text, place, id, corrupted, (document, text, place, _id, corrupt) => {
    const order = { first: { _id, ...document, text }, middle: { ...document, _id, text }, last: { ...document, text, _id }, missing: { ...document, text } }
    const bytes = corrupt(Buffer.from(serialize(order[place])))
    const decoded = outcome(() => deserializeDocument(bytes))
    const prepared = outcome(() => prepareInsert(bytes, new ClusterClock()))
    if ('code' in decoded) {
      t.same(prepared, decoded)
      return
    }
    // Decoding takes what cannot be inserted, such as an _id that is an array; and gives of two fields with one name the last.
    if ('code' in prepared) {
      t.match(String(prepared.code), /^(2|22|52|53)$/)
      return
    }
    const { doc, raw } = prepared.result
    t.strictSame(canonical(deserializeDocument(raw)), canonical(doc), 'its bytes say the same')
    // Of a document that had to be encoded anew, JavaScript puts names that are whole numbers before all others.
    const [first] = Object.keys(deserializeDocument(raw)).filter((name) => !/^\d+$/.test(name))
    t.equal(first, '_id', 'the _id comes first')
    const { _id: given = doc._id, ...rest } = decoded.result
    t.strictSame(sorted(doc), sorted({ _id: given, ...rest }), 'nothing else is changed')
  }), { numRuns: 500 })
})

function sorted (doc: Document): unknown {
  return canonical(Object.entries(doc).sort(([a], [b]) => a < b ? -1 : 1))
}

await t.test('names that are numbers leave an _id where it is', async t => {
  const { db } = await openStore(t)
  for (const value of ['plain', new MinKey()]) {
    const _id = new ObjectId()
    await db.command({ insert: 'c', documents: [new Map<string, unknown>([['_id', _id], ['5', value]])] })
    t.same(await db.collection('c').findOne({ _id }), { _id, 5: value })
  }
})
