import { execFile, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { openStore } from '../embedded-mongo/helper.js'

const script = fileURLToPath(new URL('./pymongo_session.py', import.meta.url))

/** Debian's own Python first: another one in the path need not have its packages. */
const python = ['/usr/bin/python3', 'python3'].find(command => spawnSync(command, ['-c', 'import pymongo']).status === 0)
const options = python === undefined ? { skip: 'PyMongo is not installed (Debian: python3-pymongo)' } : {}

interface Step { step: string, result: unknown }

async function runSession (uri: string): Promise<Record<string, unknown>> {
  const { stdout } = await promisify(execFile)(python!, [script, uri], { timeout: 60_000 })
  const steps = stdout.trim().split('\n').map(line => JSON.parse(line) as Step)
  return Object.fromEntries(steps.map(({ step, result }) => [step, result]))
}

const expected = {
  server: '8.0.0',
  insert: 10,
  query: [['Int64', 10], ['Int64', 9], ['Int64', 8]],
  index: 'n_-1',
  aggregate: [['even', '32.50'], ['odd', '27.50']],
  duplicate: { _id: 1 },
  outside: 0,
  committed: 1,
  aborted: 11,
  watch: [['update', 3, true], ['delete', 4, null]],
  cursor: 1_000,
  dropped: false
}

await t.test('PyMongo works on the opened port', options, async t => {
  const { mongo } = await openStore(t, { port: 0 })
  t.same(await runSession(mongo.tcpUri!), expected)
})

await t.test('PyMongo logs in on the loopback port', options, async t => {
  const { mongo } = await openStore(t, { loopbackLogin: true })
  t.same(await runSession(mongo.uri), expected)
  await t.rejects(runSession(mongo.uri.replace(/:[\w-]{43}@/, ':wrong@')), { message: /Authentication failed/ })
})

await t.test('PyMongo discovers the set behind the port', options, async t => {
  const { mongo } = await openStore(t, { port: 0 })
  t.same(await runSession(`mongodb://${new URL(mongo.tcpUri!).host}/?replicaSet=pitwall`), expected)
})
