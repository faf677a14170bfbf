import { test } from 'tap'
import { adminKey, startApp, type TestApp } from '../helpers/build-app.js'
import { restClient } from '../helpers/rest-client.js'
import { visitor } from '../../src/identity/visitor.js'

async function makeIdentity (server: TestApp, scopes: string[]) {
  const { body } = await restClient(server.url, adminKey)<{ id: string, key: string }>('POST', '/api/keys', { name: 'Car 7', scopes, vehicle: 'car-7' })
  const identity = await server.app.identities.authenticateToken(body.data.key, '127.0.0.1')
  if (!identity) throw new Error('the key is not known')
  return { id: body.data.id, identity }
}

test('a ticket stands for its key, once', async (t) => {
  const server = await startApp(t)
  const { identities, models } = server.app
  const { identity } = await makeIdentity(server, ['read', 'publish'])
  const { ticket, expiresIn } = await identities.createTicket(identity)
  t.equal(expiresIn, 60)
  t.match(ticket, /^pwt_[\w-]{43}$/)
  t.notOk(JSON.stringify(await models.tickets.find().lean()).includes(ticket), 'stored as a hash')
  t.same(await identities.authenticateToken(ticket, '127.0.0.1'), identity)
  t.equal(await identities.authenticateToken(ticket, '127.0.0.1'), null)
})

test('a ticket used many times at once works once', async (t) => {
  const server = await startApp(t)
  const { identity } = await makeIdentity(server, ['read'])
  const { ticket } = await server.app.identities.createTicket(identity)
  const results = await Promise.all(Array.from({ length: 8 }, () => server.app.identities.authenticateToken(ticket, '127.0.0.1')))
  t.equal(results.filter(Boolean).length, 1)
})

test('a ticket has the same scopes or fewer', async (t) => {
  const server = await startApp(t)
  const { identities } = server.app
  const { identity } = await makeIdentity(server, ['read', 'publish'])
  const { ticket } = await identities.createTicket(identity, ['read'])
  t.same((await identities.authenticateToken(ticket, '127.0.0.1'))?.scopes, new Set(['read']))
  await t.rejects(identities.createTicket(identity, ['read', 'admin']), { code: 'FORBIDDEN' })
  await t.rejects(identities.createTicket(visitor), { code: 'FORBIDDEN' })
})

test('an admin\'s ticket may have any scope', async (t) => {
  const server = await startApp(t)
  const { identities } = server.app
  const { identity } = await makeIdentity(server, ['admin'])
  const { ticket } = await identities.createTicket(identity, ['operate'])
  t.same((await identities.authenticateToken(ticket, '127.0.0.1'))?.scopes, new Set(['operate']))
})

test('a ticket dies with its key, and of age', async (t) => {
  const server = await startApp(t)
  const { identities, models } = server.app
  const { id, identity } = await makeIdentity(server, ['read'])
  const old = await identities.createTicket(identity)
  await models.tickets.updateOne({}, { expiresAt: new Date(Date.now() - 1) })
  t.equal(await identities.authenticateToken(old.ticket, '127.0.0.1'), null)
  const fresh = await identities.createTicket(identity)
  await restClient(server.url, adminKey)('DELETE', `/api/keys/${id}`)
  t.equal(await identities.authenticateToken(fresh.ticket, '127.0.0.1'), null)
})
