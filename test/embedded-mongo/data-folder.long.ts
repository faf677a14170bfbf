import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import t from 'tap'
import { openStore } from './helper.js'
import { startEmbeddedMongo } from '../helpers/built-or-source.js'

await t.test('folder and socket are for their owner only', async t => {
  const { dataDir, mongo } = await openStore(t, { dataDir: join(t.testdir(), 'new') })
  t.equal(statSync(dataDir).mode & 0o777, 0o700)
  t.equal(statSync(decodeURIComponent(new URL(mongo.uri).host)).mode & 0o077, 0)
})

await t.test('a second start on the same folder is refused', async t => {
  const { dataDir, client } = await openStore(t)
  const error = await startEmbeddedMongo({ dataDir }).catch((error: unknown) => error) as Error
  t.match(error.message, `${dataDir} is in use by another process (pid ${process.pid})`)
  t.notMatch(error.message, '\n')
  t.equal((await client.db('admin').command({ ping: 1 })).ok, 1, 'the first goes on')
})

await t.test('the lock of a killed process does not block', async t => {
  const dataDir = t.testdir()
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log("up")'])
  await new Promise(resolve => child.stdout.once('data', resolve))
  const started = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[19]
  writeFileSync(join(dataDir, 'owner.lock'), JSON.stringify({ pid: child.pid, started }))
  await t.rejects(startEmbeddedMongo({ dataDir }), { message: /in use by another process/ })
  const exited = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGKILL')
  await exited
  const mongo = await startEmbeddedMongo({ dataDir })
  await mongo.close()
  t.notOk(existsSync(join(dataDir, 'owner.lock')), 'the lock is given back')
})

await t.test('a folder of a newer format is refused', async t => {
  const dataDir = t.testdir({ 'format.json': '{"format":99}' })
  await t.rejects(startEmbeddedMongo({ dataDir }), { message: /has format 99, written by a newer version/ })
  t.notOk(existsSync(join(dataDir, 'owner.lock')))
})

await t.test('a path too long for a socket works', async t => {
  const dataDir = join(t.testdir(), 'a'.repeat(60), 'b'.repeat(60))
  mkdirSync(dataDir, { recursive: true })
  const mongo = await startEmbeddedMongo({ dataDir })
  const client = await new MongoClient(mongo.uri).connect()
  t.equal((await client.db('admin').command({ ping: 1 })).ok, 1)
  await client.close()
  await mongo.close()
})
