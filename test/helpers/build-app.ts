import type { FastifyInstance } from 'fastify'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { loadConfig, type Config } from '../../src/config.js'
import type { EmbeddedMongo } from '../../src/embedded-mongo/index.js'
import { buildApp, startEmbeddedMongo } from './built-or-source.js'

/** The admin key of every app that `startApp` builds. */
export const adminKey = 'test-admin-key-0123456789'

export interface TestApp {
  app: FastifyInstance
  /** Base address, `http://127.0.0.1:PORT`. */
  url: string
  /** WebSocket address, `ws://127.0.0.1:PORT/ws`. */
  socketUrl: string
  /** Headers that carry the admin key. */
  headers: { 'x-api-key': string }
}

interface TestStore { mongo: EmbeddedMongo, directory: string }
let store: Promise<TestStore> | undefined
let users = 0
let closing: NodeJS.Timeout | undefined

async function startStore (): Promise<TestStore> {
  const directory = await mkdtemp(join(tmpdir(), 'pitwall-test-'))
  return { mongo: await startEmbeddedMongo({ dataDir: directory }), directory }
}

async function stopStore (): Promise<void> {
  const last = await store
  store = undefined
  if (!last) return
  await last.mongo.close()
  await rm(last.directory, { recursive: true, force: true })
}

/**
 * A listening Pitwall over the real embedded store, with a database of its own, closed
 * after the test. One store serves all apps of a test file.
 */
export async function startApp (t: Test, overrides: Partial<Config> = {}): Promise<TestApp> {
  const directory = t.testdir({})
  users++
  clearTimeout(closing)
  store ??= startStore()
  const { mongo } = await store
  const mongodbUri = withDatabase(mongo.uri, `test_${randomBytes(6).toString('hex')}`)
  const config = loadConfig({ DATA_DIR: directory, API_KEY: adminKey, SIMULATE: '0', PORT: '0' }, directory)
  const app = await buildApp({ ...config, rateLimitMax: 1_000_000, ...overrides, mongodbUri })
  t.teardown(async () => {
    await app.close()
    // The next test of the file begins within this time, and goes on with the same store.
    if (--users === 0) closing = setTimeout(() => { stopStore().catch((error: unknown) => { throw error }) }, 100)
  })
  const url = (await app.listen({ port: 0, host: '127.0.0.1' })).replace('localhost', '127.0.0.1')
  return { app, url, socketUrl: `${url.replace('http', 'ws')}/ws`, headers: { 'x-api-key': adminKey } }
}

function withDatabase (uri: string, name: string): string {
  const [base = '', query] = uri.split('?')
  return `${base.replace(/\/$/, '')}/${name}${query ? `?${query}` : ''}`
}
