import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MongoClient, type Collection, type Db } from 'mongodb'
import root, { type Test } from 'tap'
import type { EmbeddedMongo, EmbeddedMongoOptions } from '../../src/embedded-mongo/index.js'
import { startEmbeddedMongo } from '../helpers/built-or-source.js'

export interface Store { mongo: EmbeddedMongo, client: MongoClient, db: Db, dataDir: string }

/** Starts a store in a folder of its own, with a client; both end with the test. */
export async function openStore (t: Test, options: Partial<EmbeddedMongoOptions> = {}): Promise<Store> {
  const dataDir = options.dataDir ?? t.testdir()
  const store = await start(dataDir, options)
  t.teardown(async () => {
    await store.client.close()
    await store.mongo.close()
  })
  return store
}

let shared: Promise<Store> | undefined

/** A database of its own in the store that the tests of one file share. */
export async function openDatabase (): Promise<Store> {
  shared ??= startShared()
  const store = await shared
  return { ...store, db: store.client.db(`test-${randomUUID().slice(0, 8)}`) }
}

async function startShared (): Promise<Store> {
  const dataDir = mkdtempSync(join(tmpdir(), 'pitwall-test-'))
  const store = await start(dataDir, { ttlIntervalMS: 50 })
  root.teardown(async () => {
    await store.client.close()
    await store.mongo.close()
    rmSync(dataDir, { recursive: true })
  })
  return store
}

async function start (dataDir: string, options: Partial<EmbeddedMongoOptions>): Promise<Store> {
  const mongo = await startEmbeddedMongo({ onExit: error => { throw error }, ...options, dataDir })
  const client = await new MongoClient(mongo.uri).connect()
  return { mongo, client, db: client.db('test'), dataDir }
}

/** The winning plan's index name, or COLLSCAN. */
export async function planOf (collection: Collection, filter: object, sort: Record<string, 1 | -1> = {}): Promise<{ index: string, keys: number, documents: number, sorts: boolean }> {
  const explained = await collection.find(filter, { sort }).explain('executionStats')
  const text = JSON.stringify(explained.queryPlanner.winningPlan)
  return {
    index: /"indexName":"([^"]+)"/.exec(text)?.[1] ?? 'COLLSCAN',
    keys: explained.executionStats.totalKeysExamined as number,
    documents: explained.executionStats.totalDocsExamined as number,
    sorts: text.includes('"SORT"')
  }
}
