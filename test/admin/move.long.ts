import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import {
  Binary, BSONRegExp, BSONSymbol, Code, DBRef, Decimal128, Double, Int32, Long, MaxKey, MinKey, MongoClient, ObjectId, Timestamp, type Db
} from 'mongodb'
import t from 'tap'
import { startEmbeddedMongo } from '../helpers/built-or-source.js'
import { checkBackup, writeDuringBackup } from './backup-rounds.js'
import { runAdmin } from './run-admin.js'
import { readContents } from './store-contents.js'

/** A value of every type, and of some two that are equal to JavaScript. */
const values = [
  new Double(1), new Int32(1), Long.fromNumber(1), new Decimal128('1.00'), new Double(-0), new Double(NaN), new Double(5e-324), Long.MIN_VALUE,
  Long.fromString('9007199254740993'), new Decimal128('1E-6176'), 'text é', '', null, true, new Date(-1), new ObjectId('0123456789abcdef01234567'),
  new Binary(Buffer.from('bytes'), 0x80), new Binary(Buffer.from('old'), 2), new BSONRegExp('^a', 'im'), new Code('f()'), new Code('f()', { x: new Int32(1) }),
  new BSONSymbol('symbol'), new Timestamp({ t: 5, i: 6 }), new MinKey(), new MaxKey(), new DBRef('other', new ObjectId('0123456789abcdef01234567')),
  [new Int32(1), [new Double(2)], {}], new Map<string, unknown>([['z', new Int32(1)], ['2', new Int32(2)], ['1', { a: new Double(3) }]])
]

async function fill (db: Db): Promise<void> {
  await db.collection<object>('types').insertMany(values.map((value, index) => ({ _id: index, value, nested: { value } })) as object[])
  const ids = [new MinKey(), new Double(NaN), new Double(-1.5), new Int32(7), Long.fromString('9007199254740993'), new Decimal128('1E+40'), 'a', '', { b: 1, a: new Int32(2) }, {},
    new Binary(Buffer.from('x')), new ObjectId(), false, true, new Date(0), new Timestamp({ t: 1, i: 1 }), null, new MaxKey(), new Map([['b', 1], ['1', 2]])]
  await db.collection('ids').insertMany(ids.map(_id => ({ _id: _id as never, of: String(_id) })))
  await db.collection('many').insertMany(Array.from({ length: 2_500 }, (_, index) => ({ _id: index as never, group: index % 7, email: `${index}@example.com`, at: new Date(index) })))
  await db.collection('many').createIndexes([
    { key: { group: 1, _id: -1 }, name: 'by group' }, { key: { email: 1 }, unique: true, collation: { locale: 'en', strength: 2 } },
    { key: { 'a.b': -1 }, sparse: true }, { key: { c: 1 }, partialFilterExpression: { group: { $gt: 3 } } }, { key: { at: 1 }, expireAfterSeconds: 0x7FFFFFFF }, { key: { hidden: 1 }, hidden: true }
  ])
  await db.createCollection('capped', { capped: true, size: 4_096, max: 3 })
  await db.collection('capped').insertMany([1, 2, 3, 4].map(_id => ({ _id: _id as never })))
  await db.collection('validated').insertOne({ from: 'before the validator' })
  await db.command({ collMod: 'validated', validator: { $jsonSchema: { required: ['name'] } }, validationLevel: 'moderate', validationAction: 'error' })
  await db.createCollection('collated', { collation: { locale: 'de', strength: 1 } })
  await db.createCollection('groups', { viewOn: 'many', pipeline: [{ $group: { _id: '$group', count: { $sum: 1 } } }] })
  await db.client.db('other').collection('things').insertOne({ a: 1 })
}

await t.test('moves everything of a stopped store, bit for bit', async t => {
  const folder = t.testdir({ source: {}, target: {} })
  const dataDir = join(folder, 'source')
  const source = await startEmbeddedMongo({ dataDir })
  const client = await new MongoClient(source.uri).connect()
  await fill(client.db('pitwall'))
  const before = await readContents(source.uri)
  t.equal(before['pitwall.many']?.documents.length, 2_500)
  await client.close()
  await source.close()

  const target = await startEmbeddedMongo({ dataDir: join(folder, 'target'), port: 0 })
  t.teardown(target.close)
  const moved = await runAdmin(t, ['move', '--to', `${target.tcpUri!.replace('/?', '/cars?')}`, '--data-dir', dataDir])
  t.equal(moved.errors, '')
  t.match(moved.output, /^copying: 100 % · 2,55\d of 2,55\d documents · \d of \d collections · [\d,]+\/s · 0 s left\nMoved and verified: 2,55\d documents in \d collections, by counts and checksums\.\nNext: start Pitwall with MONGODB_URI/m)
  t.equal(moved.code, 0)
  const after = await readContents(target.uri)
  const renamed = Object.fromEntries(Object.entries(before).map(([name, contents]) => [name.replace(/^pitwall\./, 'cars.'), contents]))
  t.same(after, renamed, 'Pitwall\'s database has the name that the address asks for')

  const again = await runAdmin(t, ['move', '--to', target.tcpUri!, '--data-dir', dataDir])
  t.equal(again.code, 1)
  t.match(again.errors, /^target: the database other is not empty \(it has the collection things\); drop it, or name another in --to\n$/)
})

await t.test('a backup of a store in use is of one moment, indexes included', async t => {
  const folder = t.testdir({ data: {} })
  const mongo = await startEmbeddedMongo({ dataDir: join(folder, 'data'), port: 0 })
  const client = await new MongoClient(mongo.uri).connect()
  const count = await writeDuringBackup(client, join(folder, 'copy'))
  t.same(readdirSync(join(folder, 'copy')).sort(), ['data.mdb', 'format.json'])
  t.equal(statSync(join(folder, 'copy')).mode & 0o777, 0o700)
  t.equal(statSync(join(folder, 'copy', 'data.mdb')).mode & 0o777, 0o600)
  await checkBackup(t, join(folder, 'copy'), count)

  await t.rejects(client.db('admin').command({ pitwallBackup: 1, to: join(folder, 'copy') }), { code: 2, message: /copy is there already$/ })
  await t.rejects(client.db('admin').command({ pitwallBackup: 1, to: 'relative' }), { code: 2, message: /must be an absolute path/ })
  const open = await new MongoClient(mongo.tcpUri!).connect()
  await t.rejects(open.db('admin').command({ pitwallBackup: 1, to: join(folder, 'other') }), { code: 13, codeName: 'Unauthorized', message: 'pitwallBackup is only answered on the private socket' })
  t.notOk(existsSync(join(folder, 'other')))
  await Promise.all([open.close(), client.close()])
  await mongo.close()
})
