import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { MongoClient } from 'mongodb'
import t from 'tap'
import { runMove } from '../../src/admin/move/move.js'
import { findElement, exactValue } from '../../src/admin/move/raw-document.js'
import { Source } from '../../src/admin/move/source.js'
import { Target } from '../../src/admin/move/target.js'
import { createProgressLine } from '../../src/admin/progress-line.js'
import { startEmbeddedMongo } from '../helpers/built-or-source.js'
import { readContents } from './store-contents.js'

await t.test('what changes between being read and being written is followed', async t => {
  const folder = t.testdir({ source: {}, target: {} })
  const [from, to] = await Promise.all(['source', 'target'].map(async name => await startEmbeddedMongo({ dataDir: join(folder, name) })))
  const client = await new MongoClient(from!.uri).connect()
  const collection = client.db('pitwall').collection<{ _id: number, name?: string, state?: string }>('things')
  await collection.createIndex({ name: 1 }, { unique: true })
  await collection.insertMany(Array.from({ length: 8_000 }, (_, _id) => ({ _id, name: `name ${_id}` })))
  const [source, target] = await Promise.all([Source.connect(from!.uri), Target.connect(to!.uri, { from: 'pitwall', to: 'pitwall' })])
  t.teardown(async () => {
    await Promise.all([source.close(), target.close(), client.close()])
    await Promise.all([from!.close(), to!.close()])
  })

  let reads = 0
  const readAfter = source.readAfter.bind(source)
  source.readAfter = async (...args) => {
    const documents = await readAfter(...args)
    if (documents.length === 0) return documents
    reads++
    const [first, second, third] = documents.map(document => exactValue(findElement(document, '_id')!) as number)
    await collection.deleteOne({ _id: first! })
    await collection.updateOne({ _id: second! }, { $set: { state: 'changed after it was read' } })
    // A name goes from one document to another, and what had it stays behind for a while.
    await collection.deleteOne({ _id: third! })
    await collection.insertOne({ _id: -reads, name: `name ${Number(third)}` })
    // Long enough for changes to be followed within the copy.
    await wait(200)
    return documents
  }
  const line = createProgressLine({ write: () => true })
  const live = await runMove({ source, target, line, isFinal: false, signal: new AbortController().signal })
  t.ok(reads >= 8, `${reads} chunks were read`)
  t.equal(live.resumed, false)
  const final = await runMove({ source, target, line, isFinal: true, signal: new AbortController().signal })
  t.match(final, { resumed: true, documents: 8_000 - reads, collections: 1 })
  t.same(await readContents(to!.uri), await readContents(from!.uri))
})

await t.test('a collection that goes before its indexes are read is no failure', async t => {
  const folder = t.testdir({ source: {}, target: {} })
  const [from, to] = await Promise.all(['source', 'target'].map(async name => await startEmbeddedMongo({ dataDir: join(folder, name) })))
  const client = await new MongoClient(from!.uri).connect()
  const db = client.db('pitwall')
  for (const name of ['dropped', 'renamed', 'staying']) {
    await db.collection(name).createIndex({ kind: 1 })
    await db.collection(name).insertOne({ kind: name })
  }
  const [source, target] = await Promise.all([Source.connect(from!.uri), Target.connect(to!.uri, { from: 'pitwall', to: 'pitwall' })])
  t.teardown(async () => {
    await Promise.all([source.close(), target.close(), client.close()])
    await Promise.all([from!.close(), to!.close()])
  })

  const indexes = source.indexes.bind(source)
  source.indexes = async (namespace) => {
    if (namespace.name === 'dropped') await db.collection('dropped').drop()
    if (namespace.name === 'renamed') await db.collection('renamed').rename('other')
    return await indexes(namespace)
  }
  const line = createProgressLine({ write: () => true })
  await runMove({ source, target, line, isFinal: false, signal: new AbortController().signal })
  const final = await runMove({ source, target, line, isFinal: true, signal: new AbortController().signal })
  t.match(final, { resumed: true, documents: 2, collections: 2 })
  t.same(await readContents(to!.uri), await readContents(from!.uri))
})
