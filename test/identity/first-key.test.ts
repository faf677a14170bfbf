import { test } from 'tap'
import { adminKey, startApp } from '../helpers/build-app.js'
import { restClient } from '../helpers/rest-client.js'
import { buildApp } from '../helpers/built-or-source.js'

let nodes = 0

/** Another node over a server's database, with a connection of its own and another API_KEY. */
async function startNode (server: Awaited<ReturnType<typeof startApp>>, apiKey?: string) {
  const { apiKey: _, mongodbUri, ...config } = server.app.config
  const ownUri = `${mongodbUri}${mongodbUri.includes('?') ? '&' : '?'}appName=node-${++nodes}`
  const app = await buildApp({ ...config, mongodbUri: ownUri, ...(apiKey !== undefined && { apiKey }) })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const { firstKey } = await app.identities.bootstrap()
  return { app, firstKey, status: async (key: string) => (await restClient(url, key)('GET', '/api/keys')).status }
}

test('makes a first admin key once, when there is none', async (t) => {
  const server = await startApp(t)
  const first = await startNode(server)
  t.match(first.firstKey, /^pw_[\w-]{43}$/)
  t.equal(await first.status(first.firstKey ?? ''), 200)
  t.equal(await first.status(adminKey), 401, 'API_KEY is no longer set')
  await first.app.close()
  const second = await startNode(server)
  t.equal(second.firstKey, undefined)
  t.equal(await second.status(first.firstKey ?? ''), 200)
  await second.app.close()
})

test('makes another first key after the last admin key is gone', async (t) => {
  const server = await startApp(t)
  const first = await startNode(server)
  await first.app.models.apiKeys.updateMany({}, { revokedAt: new Date() })
  await first.app.close()
  const second = await startNode(server)
  t.match(second.firstKey, /^pw_/)
  t.not(second.firstKey, first.firstKey)
  await second.app.close()
})

test('changing API_KEY revokes the one before it, on every node', async (t) => {
  const server = await startApp(t)
  const revoked = new Promise<string>((resolve) => server.app.identities.onRevoked(resolve))
  const next = await startNode(server, 'another-admin-key-0123456789')
  t.equal(next.firstKey, undefined)
  t.equal(await next.status('another-admin-key-0123456789'), 200)
  t.equal(await next.status(adminKey), 401)
  const id = await revoked
  t.equal((await server.app.models.apiKeys.findById(id))?.name, 'API_KEY')
  t.equal((await restClient(server.url, adminKey)('GET', '/api/keys')).status, 401, 'on the node that had it too')
  await next.app.close()
  const back = await startNode(server, adminKey)
  t.equal(await back.status(adminKey), 200, 'set again, it works again')
  await back.app.close()
})
