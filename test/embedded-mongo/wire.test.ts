import { connect, type Socket } from 'node:net'
import { deserialize, serialize } from 'bson'
import { BSON, type Document } from 'mongodb'
import t, { type Test } from 'tap'
import { crc32c } from '../../src/embedded-mongo/wire/crc32c.js'
import { MessageReader } from '../../src/embedded-mongo/wire/message-reader.js'
import { openStore } from './helper.js'

const OP_REPLY = 1
const OP_QUERY = 2004
const OP_MSG = 2013

interface Reply { opCode: number, responseTo: number, body: Document }

/** A client that writes the messages itself. */
class RawClient {
  private readonly socket: Socket
  private readonly replies: Reply[] = []
  private readonly waiting: Array<(reply: Reply | undefined) => void> = []

  constructor (t: Test, port: number) {
    const reader = new MessageReader()
    this.socket = connect(port, '127.0.0.1')
    this.socket.on('error', () => {})
    this.socket.on('data', chunk => {
      for (const message of reader.push(chunk)) {
        const opCode = message.readInt32LE(12)
        this.replies.push({ opCode, responseTo: message.readInt32LE(8), body: deserialize(message.subarray(opCode === OP_REPLY ? 36 : 21)) })
      }
      while (this.waiting.length > 0 && this.replies.length > 0) this.waiting.shift()!(this.replies.shift())
    })
    this.socket.on('close', () => { for (const resolve of this.waiting.splice(0)) resolve(undefined) })
    t.teardown(() => { this.socket.destroy() })
  }

  send (opCode: number, id: number, ...parts: Uint8Array[]): void {
    const header = Buffer.alloc(16)
    header.writeInt32LE(16 + parts.reduce((sum, { length }) => sum + length, 0), 0)
    header.writeInt32LE(id, 4)
    header.writeInt32LE(opCode, 12)
    this.socket.write(Buffer.concat([header, ...parts]))
  }

  /** The next reply; undefined when the server closes the connection. */
  async next (): Promise<Reply | undefined> {
    return this.replies.shift() ?? await new Promise(resolve => { this.waiting.push(resolve) })
  }

  async ask (opCode: number, ...parts: Uint8Array[]): Promise<Document | undefined> {
    this.send(opCode, 7, ...parts)
    return (await this.next())?.body
  }
}

function int32 (value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}

const body = (doc: Document): Buffer => Buffer.concat([Buffer.from([0]), serialize(doc)])

function sequence (name: string, ...documents: Uint8Array[]): Buffer {
  const content = Buffer.concat([Buffer.from(`${name}\0`), ...documents])
  return Buffer.concat([Buffer.from([1]), int32(content.length + 4), content])
}

const query = (namespace: string, doc: Document): Buffer => Buffer.concat([int32(0), Buffer.from(`${namespace}\0`), int32(0), int32(-1), serialize(doc)])

/** A document of elements given in hexadecimal. */
function rawDocument (...elements: string[]): Buffer {
  const content = Buffer.from(elements.join(''), 'hex')
  return Buffer.concat([int32(content.length + 5), content, Buffer.from([0])])
}

const { mongo, client } = await openStore(t, { port: 0 })
const port = Number(new URL(mongo.tcpUri!).port)

await t.test('the old message opens connections and nothing more', async t => {
  const raw = new RawClient(t, port)
  for (const name of ['hello', 'isMaster', 'ismaster', 'ping', 'buildInfo']) {
    raw.send(OP_QUERY, 41, query('admin.$cmd', { [name]: 1 }))
    t.match(await raw.next(), { opCode: OP_REPLY, responseTo: 41, body: { ok: 1 } }, name)
  }
  t.match(await raw.ask(OP_QUERY, query('test.$cmd', { find: 'c' })), { ok: 0, code: 352, codeName: 'UnsupportedOpQueryCommand' })
  t.match(await raw.ask(OP_QUERY, query('test.c', { a: 1 })), { ok: 0, code: 5739101 })
})

await t.test('checksums, sequences and replies not wanted', async t => {
  const raw = new RawClient(t, port)
  const ping = body({ ping: 1, $db: 'admin' })
  const header = Buffer.concat([int32(16 + 4 + ping.length + 4), int32(7), int32(0), int32(OP_MSG)])
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32LE(crc32c(Buffer.concat([header, int32(1), ping])))
  t.match(await raw.ask(OP_MSG, int32(1), ping, checksum), { ok: 1 }, 'a checksum that fits')
  checksum[0]! ^= 1
  t.equal(await new RawClient(t, port).ask(OP_MSG, int32(1), ping, checksum), undefined, 'one that does not closes the connection')

  raw.send(OP_MSG, 1, int32(2), body({ insert: 'c', $db: 'test', documents: [{ _id: 1 }], writeConcern: { w: 0 } }))
  raw.send(OP_MSG, 2, int32(0), body({ count: 'c', $db: 'test' }))
  t.match(await raw.next(), { responseTo: 2, body: { n: 1 } }, 'moreToCome is answered with nothing')
  t.match(await raw.ask(OP_MSG, int32(0), sequence('documents', serialize({ _id: 2 }), serialize({ _id: 3 })), body({ insert: 'c', $db: 'test' })), { ok: 1, n: 2 })
  t.match(await raw.ask(OP_MSG, int32(0), body({ insert: 'c', $db: 'test', documents: [{}] }), sequence('documents', serialize({}))), { ok: 0, code: 40413 })
  t.match(await raw.ask(OP_MSG, int32(0), body({ find: 'c', $db: 'test' }), sequence('bogus', serialize({}))), { ok: 0, code: 40415 })
  t.match(await raw.ask(OP_MSG, int32(0x10000), body({ find: 'c', $db: 'test', batchSize: 1 })), { ok: 1, cursor: { firstBatch: [{ _id: 1 }] } }, 'exhaust is allowed, not used')
  t.match(await raw.ask(OP_MSG, int32(0), body({ ping: 1 })), { ok: 0, code: 40571 })
  t.equal(await client.db('test').collection('c').countDocuments(), 3)
})

await t.test('bytes a document cannot be stored with', async t => {
  const raw = new RawClient(t, port)
  const id = (n: number): string => `105f696400${int32(n).toString('hex')}`
  const cases: Array<[string, Buffer, number]> = [
    ['an _id of type undefined', rawDocument('065f696400'), 53],
    ['an _id of type regex', rawDocument('0b5f696400610000'), 53],
    ['two _id fields', rawDocument(id(1), id(2)), 2],
    ['a date beyond what can be kept', rawDocument(id(1), '096100ffffffffffffff7f'), 22],
    ['invalid UTF-8', rawDocument(id(1), '02610003000000fffe00'), 22],
    ['a type nobody knows', rawDocument(id(1), '206100'), 22],
    ['a boolean of 2', rawDocument(id(1), '08610002'), 22]
  ]
  for (const [name, document, code] of cases) {
    const reply = await raw.ask(OP_MSG, int32(0), body({ insert: 'c', $db: 'bytes' }), sequence('documents', document)) as { code?: number, writeErrors?: Array<{ code: number }> }
    t.equal(reply.code ?? reply.writeErrors?.[0]?.code, code, name)
  }
  t.equal(await client.db('bytes').collection('c').countDocuments(), 0)
})

await t.test('documents up to 16 MiB and 180 levels are kept', async t => {
  const db = client.db('limits')
  const things = db.collection<{ _id: number, text?: string, nested?: Document }>('things')
  const most = 16 * 1024 * 1024
  const empty = BSON.calculateObjectSize({ _id: 1, text: '' })
  await things.insertOne({ _id: 1, text: 'x'.repeat(most - empty) })
  t.equal((await things.findOne({ _id: 1 }))?.text?.length, most - empty)
  const tooLong = { _id: 2, text: 'x'.repeat(most - empty + 1) }
  t.match(await db.command({ insert: 'things', documents: [tooLong] }), { n: 0, writeErrors: [{ code: 10334 }] })
  await t.rejects(things.updateOne({ _id: 1 }, { $set: { more: 1 } }), { code: 10334 })
  await things.insertOne({ _id: 3, text: 'y'.repeat(9_000_000) })
  await t.rejects(things.updateOne({ _id: 3 }, { $set: { more: 'z'.repeat(10_000_000) } }), { code: 10334 }, 'also far beyond')
  await t.rejects(things.aggregate([{ $match: { _id: 3 } }, { $project: { twice: { $concat: ['$text', '$text'] } } }]).toArray(), { code: 10334 })

  const nest = (levels: number): Document => levels === 1 ? { text: 'x'.repeat(1_000) } : { a: nest(levels - 1) }
  await things.insertOne({ _id: 4, nested: nest(179) })
  await t.rejects(things.insertOne({ _id: 5, nested: nest(180) }), { code: 15 })
  await t.rejects(things.updateOne({ _id: 4 }, { $set: { [`nested${'.a'.repeat(178)}.b`]: { c: {} } } }), { code: 15 })
  await t.rejects(things.insertOne({ _id: 6, nested: nest(210) }), { code: 15 })
  t.same(await things.distinct('_id'), [1, 3, 4])
})

await t.test('numbers of all types are one order in a unique index', async t => {
  const db = client.db('numbers')
  const { Decimal128, Double, Long } = BSON
  const insertAll = async (name: string, ids: unknown[]): Promise<number[]> => {
    const { writeErrors = [] } = await db.command({ insert: name, documents: ids.map(_id => ({ _id })), ordered: false }) as { writeErrors?: Array<{ index: number, code: number }> }
    for (const { code } of writeErrors) t.equal(code, 11000)
    return writeErrors.map(({ index }) => index)
  }
  t.same(await insertAll('one', [1, new Double(1), Long.fromNumber(1), new Decimal128('1.00'), new Decimal128('1E0'), new Decimal128('1.01')]), [1, 2, 3, 4])
  const [below, above] = ['9007199254740992', '9007199254740993']
  t.same(await insertAll('large', [Long.fromString(above), new Double(Number(below)), Long.fromString(below), new Decimal128(above), new Double(Number(below) + 2)]), [2, 3])
  t.equal(await db.collection('large').countDocuments({ _id: { $gt: new Double(Number(below)) as never } }), 2)
  t.same(await insertAll('special', [NaN, new Double(-0), 0, new Decimal128('NaN'), new Decimal128('-0'), new Decimal128('0E-10'), -Infinity, new Decimal128('-Infinity')]), [2, 3, 4, 5, 7])
  t.same((await db.collection('special').find().sort({ _id: 1 }).toArray()).map(({ _id }) => String(_id)), ['NaN', '-Infinity', '0'])
})

await t.test('connections made while the store closes end at once', async t => {
  for (const kind of ['socket', 'port']) {
    const { mongo } = await openStore(t, { dataDir: t.testdir({ [kind]: {} }) + `/${kind}`, port: 0 })
    const where = kind === 'port' ? { host: '127.0.0.1', port: Number(new URL(mongo.tcpUri!).port) } : { path: decodeURIComponent(new URL(mongo.uri).host) }
    const state = { isClosing: true }
    let made = 0
    const storm = Array.from({ length: 10 }, async () => {
      while (state.isClosing) {
        const socket = connect(where)
        made++
        socket.on('error', () => {})
        socket.on('connect', () => { socket.write(Buffer.from('0000')) })
        await new Promise(resolve => { socket.once('close', resolve) })
      }
    })
    await mongo.close()
    state.isClosing = false
    await Promise.all(storm)
    t.ok(made >= 10, `${made} on the ${kind}, none left waiting`)
  }
})
