import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { BSON, Double, Int32, MongoClient } from 'mongodb'
import t from 'tap'
import { startEmbeddedMongo } from '../helpers/built-or-source.js'
import { runAdmin } from './run-admin.js'

await t.test('a document that differs is found and mended', async t => {
  const folder = t.testdir({ source: {}, target: {} })
  const dataDir = join(folder, 'source')
  const source = await startEmbeddedMongo({ dataDir })
  const client = await new MongoClient(source.uri).connect()
  t.teardown(() => client.close())
  await client.db('pitwall').collection('a').insertMany([{ _id: 1 as never, n: new Int32(1), m: 2 }, { _id: 2 as never }])
  await client.db('pitwall').collection('b').insertOne({ b: 1 })
  const target = await startEmbeddedMongo({ dataDir: join(folder, 'target'), port: 0 })
  t.teardown(target.close)
  const move = ['move', '--to', target.tcpUri!, '--data-dir', dataDir]

  const live = await runAdmin(t, move)
  t.equal(live.code, 0)
  t.match(live.output, /^Copied: 3 documents in 2 collections, and what has changed since\.\nNext: 1\. stop Pitwall/m)
  await source.close()
  const other = await new MongoClient(target.uri).connect()
  t.teardown(() => other.close())
  // Equal to every query, and yet not the same: the order of fields, and the type of a number.
  await other.db('pitwall').collection('a').replaceOne({ _id: 1 as never }, { m: 2, n: new Double(1) })
  const refused = await runAdmin(t, move)
  t.equal(refused.code, 1)
  t.equal(refused.errors, 'target: not the same as the source: pitwall.a (2 documents in both, with different contents); run again to copy it anew\n')
  t.equal((await runAdmin(t, move)).code, 0)
  t.same(await other.db('pitwall').collection('a').findOne({ _id: 1 as never }, { promoteValues: false }), { _id: new Int32(1), n: new Int32(1), m: new Int32(2) })
  t.same((await other.db('pitwall').listCollections().toArray()).map(({ name }) => name).sort(), ['a', 'b'], 'nothing of the move stays')
})

await t.test('tells in one line what is in the way', async t => {
  const folder = t.testdir({ empty: {}, source: {}, other: {} })
  const dataDir = join(folder, 'source')
  const source = await startEmbeddedMongo({ dataDir, port: 0 })
  t.teardown(source.close)
  const client = await new MongoClient(source.uri).connect()
  t.teardown(() => client.close())
  await client.db('pitwall').collection('a').insertOne({})
  const old = await serveOldMongo()
  t.teardown(() => { old.close() })
  const cases: Array<[string, string[], number, RegExp]> = [
    ['no command', [], 2, /^$/],
    ['an unknown command', ['remove'], 2, /^there is no command "remove"; it is one of move, backup, /],
    ['no target', ['move'], 2, /^--to is missing\n$/],
    ['an unknown option', ['move', '--too', 'x'], 2, /^Unknown option '--too'\n$/],
    ['an address that is none', ['move', '--to', 'http://x', '--data-dir', dataDir], 1, /^--to is not a MongoDB address: .*\n$/],
    ['no data', ['move', '--to', 'mongodb://127.0.0.1:1', '--data-dir', join(folder, 'empty')], 1, /empty holds no data of the embedded store; .*\n$/],
    ['a target away', ['move', '--to', 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=300', '--data-dir', dataDir], 1, /^target: no MongoDB answers: .*ECONNREFUSED.*\n$/],
    ['a target too old', ['move', '--to', `mongodb://127.0.0.1:${(old.address() as AddressInfo).port}/?directConnection=true`, '--data-dir', dataDir], 1, /^target: its version of MongoDB does not fit this driver: .*maximum wire version 7.*\n$/],
    ['a login refused', ['move', '--to', source.tcpUri!.replace('127.0.0.1', 'me:wrong@127.0.0.1'), '--data-dir', dataDir], 1, /^target: .*\n$/],
    ['the source itself', ['move', '--to', source.tcpUri!, '--data-dir', dataDir], 1, /^target: the database pitwall is not empty \(it has the collection a\); .*\n$/],
    ['a backup where something is', ['backup', '--to', folder, '--data-dir', dataDir], 1, / is there already; a backup needs a new folder\n$/],
    ['a backup to nowhere', ['backup', '--to', join(folder, 'no', 'where'), '--data-dir', dataDir], 1, /no is not there\n$/],
    ['a restore of nothing', ['restore', '--from', join(folder, 'empty'), '--data-dir', join(folder, 'new')], 1, /^\S+empty is no backup: it has no format\.json\n$/],
    ['a restore over data', ['restore', '--from', dataDir, '--data-dir', dataDir], 1, /^\S+ is in use by a running Pitwall.*\n$/]
  ]
  for (const group of [cases.slice(0, 7), cases.slice(7)]) {
    await Promise.all(group.map(async ([name, args, code, pattern]) => {
      const { errors, ...run } = await runAdmin(t, args)
      t.equal(run.code, code, name)
      t.match(errors, pattern, name)
    }))
  }
})

/** Says hello as MongoDB 4.0 did (maxWireVersion 7), which the driver takes no more. */
async function serveOldMongo () {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.on('data', request => {
      const reply = Buffer.from(BSON.serialize({ ok: 1, ismaster: true, helloOk: false, minWireVersion: 0, maxWireVersion: 7, maxBsonObjectSize: 16_777_216 }))
      // OP_REPLY: header, flags, cursor id, starting from, number of documents, document.
      const head = Buffer.alloc(36)
      head.writeInt32LE(36 + reply.length, 0)
      head.writeInt32LE(request.readInt32LE(4), 8)
      head.writeInt32LE(1, 12)
      head.writeInt32LE(1, 32)
      socket.write(Buffer.concat([head, reply]))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}
