import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import type { Config } from '../../src/config.js'
import type { TestApp } from './build-app.js'
import { buildApp } from './built-or-source.js'

let nodes = 0

/** Another node over a server's database, with a connection and a cache of its own; closed after the test. */
export async function startSecondNode (t: Test, server: TestApp, overrides: Partial<Config> = {}): Promise<TestApp & { app: FastifyInstance }> {
  const { mongodbUri } = server.app.config
  const ownUri = `${mongodbUri}${mongodbUri.includes('?') ? '&' : '?'}appName=second-node-${++nodes}`
  const app = await buildApp({ ...server.app.config, ...overrides, mongodbUri: ownUri })
  t.teardown(() => app.close())
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, url, socketUrl: `${url.replace('http', 'ws')}/ws`, headers: server.headers }
}
