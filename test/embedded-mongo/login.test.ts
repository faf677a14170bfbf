import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { MongoClient, type MongoClientOptions } from 'mongodb'
import t from 'tap'
import { openStore } from './helper.js'
import { startEmbeddedMongo } from '../helpers/built-or-source.js'

async function attempt (uri: string, options: MongoClientOptions = {}): Promise<{ code?: number, codeName?: string, message: string } | undefined> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 2_000, ...options })
  try {
    await client.db('test').collection('things').findOne({})
    return undefined
  } catch (error) {
    return error as Error
  } finally {
    await client.close()
  }
}

/** The address with another user or password. */
function withLogin (uri: string, username: string, password: string): string {
  return Object.assign(new URL(uri), { username, password }).href
}

const { mongo, client, db, dataDir } = await openStore(t, { loopbackLogin: true, port: 0 })

await t.test('a loopback store asks for its login', async t => {
  const { username, password, host } = new URL(mongo.uri)
  t.match(password, /^[\w-]{43}$/)
  await db.collection('things').insertOne({ n: 1 })
  t.match(await db.command({ connectionStatus: 1 }), { authInfo: { authenticatedUsers: [{ user: username, db: 'admin' }] } })

  const anonymous = `mongodb://${host}/?directConnection=true`
  t.match(await attempt(anonymous), { code: 13, codeName: 'Unauthorized', message: 'Command find requires authentication' })
  t.match(await attempt(withLogin(mongo.uri, username, 'wrong')), { code: 18, codeName: 'AuthenticationFailed', message: 'Authentication failed.' })
  t.match(await attempt(withLogin(mongo.uri, 'somebody', password)), { code: 18 })
  t.match(await attempt(`${withLogin(mongo.uri, username, password)}`.replace('SCRAM-SHA-256', 'SCRAM-SHA-1')), { code: 334, codeName: 'MechanismUnavailable' })
  t.equal(await attempt(anonymous, { auth: { username, password } }), undefined, 'the mechanism may be left to the server')
  t.equal((await client.db('admin').command({ ping: 1 })).ok, 1)
})

await t.test('commands before the login are refused but few', async t => {
  const client = await new MongoClient(`mongodb://${new URL(mongo.uri).host}/?directConnection=true`).connect()
  t.teardown(async () => { await client.close() })
  const admin = client.db('admin')
  for (const command of ['ping', 'hello', 'buildInfo', 'connectionStatus', 'whatsmyuri']) {
    t.equal((await admin.command({ [command]: 1 })).ok, 1, command)
  }
  t.match(await admin.command({ hello: 1, saslSupportedMechs: 'admin.pitwall' }), { saslSupportedMechs: ['SCRAM-SHA-256'] })
  for (const command of [{ listDatabases: 1 }, { serverStatus: 1 }, { getLog: 'global' }, { insert: 'c', documents: [{}] }, { killAllSessions: [] }, { dropDatabase: 1 }]) {
    await t.rejects(admin.command(command), { code: 13, message: `Command ${Object.keys(command)[0]!} requires authentication` })
  }
  await t.rejects(admin.command({ saslContinue: 1, conversationId: 1, payload: Buffer.from('') }), { code: 17, codeName: 'ProtocolError' })
  // The conversation's end must not be reachable without a proof.
  const opening = await admin.command({ saslStart: 1, mechanism: 'SCRAM-SHA-256', payload: Buffer.from('n,,n=pitwall,r=abcdefgh'), options: { skipEmptyExchange: true } })
  t.match(opening, { conversationId: 1, done: false })
  await t.rejects(admin.command({ saslContinue: 1, conversationId: 1, payload: Buffer.from('') }), { code: 18 })
  await t.rejects(admin.command({ saslContinue: 1, conversationId: 1, payload: Buffer.from('') }), { code: 17 })
  await t.rejects(admin.command({ find: 'c' }), { code: 13 })
})

await t.test('the password stays with the data folder', async t => {
  const path = join(dataDir, 'login.json')
  t.equal(statSync(path).mode & 0o077, 0)
  const { password } = JSON.parse(readFileSync(path, 'utf8')) as { password: string }
  t.equal(password, new URL(mongo.uri).password)
  t.equal(await attempt(mongo.tcpUri!), undefined, 'the port opened on purpose asks for nothing')
  t.match(await attempt(withLogin(mongo.tcpUri!, 'pitwall', password)), { code: 18 }, 'and knows no users')
  await mongo.close()
  const again = await startEmbeddedMongo({ dataDir, loopbackLogin: true })
  t.equal(new URL(again.uri).password, password)
  await again.close()
})
