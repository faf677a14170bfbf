import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startEmbeddedMongo } from '../helpers/built-or-source.js'
import { restClient } from '../helpers/rest-client.js'
import { startServer } from '../helpers/server-process.js'
import { goodPassword, type SignedInReply } from '../helpers/sign-in.js'
import { runAdmin } from './run-admin.js'

await t.test('a backup of a running server is what was there before it', async t => {
  // Too long for a socket beside the data.
  const directory = t.testdir({ ['a'.repeat(90)]: {} })
  const dataDir = join(directory, 'a'.repeat(90), 'data')
  const server = await startServer(t, directory, { DATA_DIR: dataDir, SIMULATE: '5' })
  const rest = restClient(server.url, server.key)
  for (let note = 0; note < 20; note++) t.equal((await rest('POST', '/api/events', { type: 'note', text: `before ${note}` })).status, 201)
  const account = { name: 'Ada', email: 'ada@pits.example', password: goodPassword, token: 'body' }
  const { refreshToken } = (await restClient(server.url)<SignedInReply>('POST', '/api/auth/signup', account)).body.data

  const [first, second] = await Promise.all(['one', 'one'].map(async name => await runAdmin(t, ['backup', '--to', join(directory, name), '--data-dir', dataDir])))
  const [made, refused] = first!.code === 0 ? [first!, second!] : [second!, first!]
  t.match(made.output, /^Backed up to \S+one: \d+\.\d MiB, flushed to disk\. Secrets of the data folder are not in it\.\n$/m)
  t.equal(refused.code, 1)
  t.match(refused.errors, /^\S+one(?:\.partial)? is there.*\n$/)
  await rest('POST', '/api/events', { type: 'note', text: 'after' })
  t.same(readdirSync(join(directory, 'one')).sort(), ['data.mdb', 'format.json'], 'no secrets')
  t.equal(statSync(join(directory, 'one')).mode & 0o777, 0o700)
  t.equal(statSync(join(directory, 'one', 'data.mdb')).mode & 0o777, 0o600)
  t.notOk(existsSync(join(directory, 'one.partial')))

  const restored = await runAdmin(t, ['restore', '--from', 'one'], { env: { DATA_DIR: 'again' } })
  t.match(restored, { code: 0, errors: '' })
  t.equal(statSync(join(directory, 'again', 'data.mdb')).mode & 0o777, 0o600)
  t.match(await runAdmin(t, ['restore', '--from', 'one'], { env: { DATA_DIR: 'again' } }), { code: 1, errors: /has data already/ })
  const copy = await startServer(t, directory, { DATA_DIR: 'again', SIMULATE: '0' })
  t.equal(copy.key, '', 'there is an admin key already')
  const { body } = await restClient(copy.url, server.key)<Array<{ text?: string }>>('GET', '/api/events?limit=100')
  const texts = body.data.map(({ text }) => text).filter(text => text !== undefined)
  t.equal(texts.filter(text => text.startsWith('before ')).length, 20)
  t.notOk(texts.includes('after'))
  t.equal((await restClient(copy.url)('POST', '/api/auth/refresh', { refreshToken })).status, 200, 'nobody has to sign in again')
  t.equal(await copy.stop(), 0)
})

await t.test('a lost key and a lost password are replaced, running or stopped', async t => {
  const directory = t.testdir({})
  const server = await startServer(t, directory, { SIMULATE: '0' })
  const account = { name: 'Ada', email: 'Ada@pits.example', password: goodPassword, token: 'body' }
  const { body } = await restClient(server.url)<SignedInReply>('POST', '/api/auth/signup', account)
  const bearer = { authorization: `Bearer ${body.data.accessToken}` }

  const key = await runAdmin(t, ['new-key', '--name', 'For the pit wall', '--scopes', 'read,users', '--data-dir', 'data'])
  t.match(key, { code: 0, output: /^pw_[\w-]{43}\n$/ })
  t.equal((await restClient(server.url, key.output.trim())('GET', '/api/user')).status, 200)
  t.equal((await restClient(server.url, key.output.trim())('GET', '/api/keys')).status, 403)

  const reset = await runAdmin(t, ['reset-password', '--email', 'ada@pits.example', '--data-dir', 'data'])
  t.match(reset, { code: 0, errors: 'ada@pits.example has a new password and is signed out everywhere.\n' })
  while ((await restClient(server.url)('GET', '/api/user', undefined, bearer)).status === 200);
  const logIn = async (url: string, password: string) => (await restClient(url)('POST', '/api/auth/login', { email: account.email, password, token: 'body' })).status
  t.equal(await logIn(server.url, goodPassword), 401)
  t.equal(await logIn(server.url, reset.output.trim()), 200)
  const { body: audit } = await restClient(server.url, server.key)<unknown[]>('GET', '/api/audit')
  t.match(audit.data.slice(0, 10).map(entry => (entry as { action: string, actor: { id: string } })).filter(({ actor }) => actor.id === 'command-line').map(({ action }) => action).sort(), ['key.create', 'user.change', 'user.password'])

  t.equal(await server.stop(), 0)
  const [weak, unknown] = [
    await runAdmin(t, ['reset-password', '--email', 'ada@pits.example', '--stdin', '--data-dir', 'data'], { input: 'password\n' }),
    await runAdmin(t, ['reset-password', '--email', 'eve@pits.example', '--data-dir', 'data'])
  ]
  t.match(weak, { code: 1, output: '', errors: /^the password must have at least 12 characters\n$/ })
  t.match(unknown, { code: 1, output: '', errors: 'there is nobody with the email "eve@pits.example"\n' })
  t.match(await runAdmin(t, ['reset-password', '--email', 'ada@pits.example', '--stdin', '--data-dir', 'data'], { input: 'eight grey herons under\n' }), { code: 0, output: '' })
  const again = await startServer(t, directory, { SIMULATE: '0' })
  t.equal(await logIn(again.url, 'eight grey herons under'), 200)
})

await t.test('a server moves to another store with its keys, people and vehicles', async t => {
  const directory = t.testdir({ target: {} })
  const server = await startServer(t, directory, { SIMULATE: '3' })
  t.equal((await restClient(server.url, server.key)('POST', '/api/events', { type: 'note', text: 'moves' })).status, 201)
  const target = await startEmbeddedMongo({ dataDir: join(directory, 'target'), port: 0 })
  t.teardown(target.close)
  const args = ['move', '--to', target.tcpUri!, '--data-dir', 'data']

  const live = await runAdmin(t, args)
  t.match(live, { code: 0, errors: '', output: /Next: 1\. stop Pitwall {2}2\. run the same command again: it copies the rest and checks {2}3\. start Pitwall with MONGODB_URI set to the target\n$/ })
  t.equal((await restClient(server.url, server.key)('POST', '/api/events', { type: 'note', text: 'moves later' })).status, 201)
  const vehicles = await restClient(server.url, server.key)<Array<{ id: string }>>('GET', '/api/vehicles')
  t.equal(await server.stop(), 0)
  t.match(await runAdmin(t, args), { code: 0, errors: '', output: /^Moved and verified: /m })

  const moved = await startServer(t, directory, { MONGODB_URI: target.tcpUri!, DATA_DIR: 'unused' })
  const rest = restClient(moved.url, server.key)
  const { body } = await rest<Array<{ text?: string }>>('GET', '/api/events?limit=100')
  t.same(body.data.map(({ text }) => text).filter(text => text?.startsWith('moves')).sort(), ['moves', 'moves later'])
  t.same((await rest<Array<{ id: string }>>('GET', '/api/vehicles')).body.data.map(({ id }) => id).sort(), vehicles.body.data.map(({ id }) => id).sort())
  t.equal(await moved.stop(), 0)
})
