import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import fc from 'fast-check'
import { BSON } from 'mongodb'
import t, { type Test } from 'tap'
import { Engine } from '../../src/embedded-mongo/engine.js'
import { CommitQueue } from '../../src/embedded-mongo/storage/commit-queue.js'
import { CommittedState } from '../../src/embedded-mongo/storage/committed-state.js'
import { insertDocument } from '../../src/embedded-mongo/writes/apply.js'
import { createCollection } from '../../src/embedded-mongo/writes/collections.js'
import { prepareDocument } from '../../src/embedded-mongo/writes/prepare-document.js'
import { openStore } from './helper.js'

const RUNS = Number(process.env.FUZZ_RUNS ?? 30)
const bytes = (text: string): Buffer => Buffer.from(text)

function openState (t: Test, dataDir: string): CommittedState {
  const state = new CommittedState({ dataDir })
  t.teardown(async () => { await state.close() })
  return state
}

function openQueue (state: CommittedState, beforeCommit: () => void = () => {}): CommitQueue {
  return new CommitQueue({ state, isExpected: () => false, beforeCommit, afterCommit: () => {}, afterAbort: () => {} })
}

await t.test('the flush returns before a write is acknowledged', async t => {
  const steps: string[] = []
  const flush = fs.fdatasyncSync
  t.teardown(() => {
    fs.fdatasyncSync = flush
    syncBuiltinESMExports()
  })
  fs.fdatasyncSync = descriptor => {
    flush(descriptor)
    steps.push('flushed')
  }
  syncBuiltinESMExports()
  const state = openState(t, t.testdir())
  const queue = openQueue(state, () => { steps.push('written') })
  const write = async (key: string): Promise<void> => {
    await queue.run(() => { state.view.put('catalog', bytes(key), bytes('value')) })
    steps.push(`acknowledged ${key}`)
  }
  await Promise.all([write('a'), write('b')])
  t.same(steps, ['written', 'flushed', 'acknowledged a', 'acknowledged b'], 'writers that wait together share one flush')
})

for (const isLarge of [false, true]) {
  await t.test(`a ${isLarge ? 'large' : 'small'} write that fails takes nothing with it`, async t => {
    const state = openState(t, t.testdir())
    const queue = openQueue(state)
    const put = (key: string): void => { state.view.put('catalog', bytes(key), bytes('value')) }
    const results = await Promise.allSettled([
      queue.run(() => { put('a') }, isLarge),
      queue.run(() => {
        put('half')
        throw new Error('No space left on device')
      }, isLarge),
      queue.run(() => { put('b') }, isLarge)
    ])
    t.same(results.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled'])
    const has = (key: string): boolean => state.view.get('catalog', bytes(key)) !== undefined
    t.same([has('a'), has('half'), has('b')], [true, false, true])
  })
}

await t.test('a write that fails leaves those beside it whole', async t => {
  const engine = new Engine({ dataDir: t.testdir() })
  const write = async (name: string): Promise<void> => await engine.commit(unit => {
    insertDocument(unit, createCollection(engine, unit, 'test', name), prepareDocument({ _id: name }, engine.oplog.clock), false)
  })
  // The first ones take so long that they fill a commit each.
  for (const name of ['a', 'b', 'c']) await write(name)
  const results = await Promise.allSettled([write('d'), engine.commit(() => { throw new Error('Invalid string length') }), write('e')])
  t.same(results.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled'])
  t.same(engine.catalog.all().map(({ name, count }) => [name, count]).sort(), ['a', 'b', 'c', 'd', 'e'].map(name => [name, 1]))
  t.equal(new Set(engine.catalog.all().map(({ id }) => id)).size, 5, 'each collection has an id of its own')
  await engine.close()
})

await t.test('replies of writes long past are forgotten', async t => {
  const dataDir = t.testdir()
  const [old, recent] = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)]
  const before = new Engine({ dataDir })
  const reply = (minutes: number): Buffer => Buffer.from(BSON.serialize({ number: '1', at: new Date(Date.now() - minutes * 60_000), reply: {} }))
  await before.commit(unit => {
    unit.view.put('sessions', old, reply(31))
    unit.view.put('sessions', recent, reply(29))
  })
  await before.close()
  const after = new Engine({ dataDir })
  await after.start()
  await after.commit(() => {})
  t.same([old, recent].map(id => after.view.get('sessions', id) === undefined), [true, false])
  await after.close()
})

await t.test('a flush that fails leaves none of its writes', async t => {
  const state = openState(t, t.testdir())
  const queue = openQueue(state)
  await queue.run(() => { state.view.put('catalog', bytes('before'), bytes('value')) })
  const flush = fs.fdatasyncSync
  fs.fdatasyncSync = () => { throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' }) }
  syncBuiltinESMExports()
  const failed = await Promise.allSettled(['a', 'b'].map(async key => { await queue.run(() => { state.view.put('catalog', bytes(key), bytes('value')) }) }))
  fs.fdatasyncSync = flush
  syncBuiltinESMExports()
  t.same(failed.map(({ status }) => status), ['rejected', 'rejected'])
  await queue.run(() => { state.view.put('catalog', bytes('after'), bytes('value')) })
  t.same(['before', 'a', 'b', 'after'].map(key => state.view.get('catalog', bytes(key)) !== undefined), [true, false, false, true])
})

/** What one commit does: keys to put, or to remove for null; large ones go past the journal. */
interface Step { changes: Array<[key: number, value: number | null]>, isLarge: boolean, thenCheckpoint: boolean }

const step: fc.Arbitrary<Step> = fc.record({
  changes: fc.array(fc.tuple(fc.nat(12), fc.option(fc.nat(900), { nil: null })), { minLength: 1, maxLength: 8 }),
  isLarge: fc.nat(6).map(number => number === 0),
  thenCheckpoint: fc.nat(9).map(number => number === 0)
})

const keyOf = (key: number): Buffer => bytes(`k${String(key).padStart(2, '0')}`)
const everything = { lower: bytes('k'), upper: bytes('l') }

function contentOf (state: CommittedState): Record<string, number> {
  return Object.fromEntries(Array.from(state.view.range('documents', everything), ({ key, value }) => [Buffer.from(key).toString(), value.length]))
}

/** The files as a crash at this moment would leave them, the journal's as `alter` makes it. */
function crashCopy (from: string, to: string, alter: (journal: Buffer) => void): string {
  const folder = mkdtempSync(join(to, 'crash-'))
  copyFileSync(join(from, 'data.mdb'), join(folder, 'data.mdb'))
  const journal = readFileSync(join(from, 'journal'))
  alter(journal)
  writeFileSync(join(folder, 'journal'), journal)
  return folder
}

await t.test('a crash keeps every commit, a torn journal a beginning of them', async t => {
  const root = t.testdir()
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), fc.double({ min: 0, max: 1, noNaN: true }), async (steps, where) => {
    const dataDir = mkdtempSync(join(root, 'state-'))
    const state = new CommittedState({ dataDir })
    const model = new Map<string, number>()
    const history: Array<Record<string, number>> = [{}]
    for (const { changes, isLarge, thenCheckpoint } of steps) {
      state.commit(() => {
        for (const [key, value] of changes) {
          if (value === null) state.view.remove('documents', keyOf(key))
          else state.view.put('documents', keyOf(key), Buffer.alloc(value, key))
          if (value === null) model.delete(keyOf(key).toString())
          else model.set(keyOf(key).toString(), value)
        }
      }, isLarge)
      if (thenCheckpoint) state.checkpoint()
      history.push(Object.fromEntries([...model].sort(([a], [b]) => a < b ? -1 : 1)))
      assert.deepEqual(contentOf(state), history.at(-1), 'reads see what is committed')
      assert.equal(state.view.count('documents', everything), model.size)
      assert.deepEqual(Array.from(state.view.range('documents', { ...everything, reverse: true }), ({ key }) => Buffer.from(key).toString()), [...model.keys()].sort().reverse())
    }
    const whole = new CommittedState({ dataDir: crashCopy(dataDir, root, () => {}) })
    assert.deepEqual(contentOf(whole), history.at(-1), 'nothing committed is lost')
    const torn = new CommittedState({ dataDir: crashCopy(dataDir, root, journal => { journal[Math.floor(where * (journal.length - 1) / 40)]! ^= 0x40 }) })
    const kept = contentOf(torn)
    assert.ok(history.some(state => JSON.stringify(state) === JSON.stringify(kept)), 'whole commits only, in their order')
    for (const opened of [whole, torn, state]) await opened.close()
    const again = new CommittedState({ dataDir })
    assert.deepEqual(contentOf(again), history.at(-1), 'a tidy end keeps everything too')
    await again.close()
  }), { numRuns: RUNS })
  t.pass(`${RUNS} histories hold`)
})

await t.test('a snapshot stays as it was while writes go on', async t => {
  const { client, db } = await openStore(t)
  const numbers = db.collection<{ _id: number, n: number }>('numbers')
  await numbers.insertMany([{ _id: 1, n: 1 }, { _id: 2, n: 1 }])
  await numbers.updateOne({ _id: 1 }, { $set: { n: 2 } })
  await client.withSession({ snapshot: true }, async session => {
    const read = async (): Promise<unknown[]> => await Promise.all([1, 2, 3].map(async _id => (await numbers.findOne({ _id }, { session }))?.n ?? null))
    const before = await read()
    await numbers.updateOne({ _id: 2 }, { $set: { n: 2 } })
    await numbers.insertOne({ _id: 3, n: 3 })
    t.same([before, await read(), await numbers.distinct('n')], [[2, 1, null], [2, 1, null], [2, 3]])
  })
})
