import t from 'tap'
import { CommitQueue } from '../../src/embedded-mongo/storage/commit-queue.js'
import { Environment } from '../../src/embedded-mongo/storage/environment.js'

await t.test('the flush returns before a write is acknowledged', async t => {
  const steps: string[] = []
  const environment = new Environment(t.testdir())
  t.teardown(async () => { await environment.close() })
  const observed = {
    commit: (write: () => void) => {
      environment.commit(write)
      steps.push('flushed')
    }
  } as Environment
  const queue = new CommitQueue({ environment: observed, isExpected: () => false, beforeCommit: () => { steps.push('written') }, afterCommit: () => {}, afterAbort: () => {} })
  const write = async (key: string): Promise<void> => {
    await queue.run(() => { environment.trees.catalog.putSync(Buffer.from(key), Buffer.from('value')) })
    steps.push(`acknowledged ${key}`)
  }
  await Promise.all([write('a'), write('b')])
  t.same(steps, ['written', 'flushed', 'acknowledged a', 'acknowledged b'], 'writers that wait together share one flush')
})

await t.test('a write that fails takes nothing with it', async t => {
  const environment = new Environment(t.testdir())
  t.teardown(async () => { await environment.close() })
  const queue = new CommitQueue({ environment, isExpected: () => false, beforeCommit: () => {}, afterCommit: () => {}, afterAbort: () => {} })
  const put = (key: string): void => { environment.trees.catalog.putSync(Buffer.from(key), Buffer.from('value')) }
  const results = await Promise.allSettled([
    queue.run(() => { put('a') }),
    queue.run(() => {
      put('half')
      throw new Error('No space left on device')
    }),
    queue.run(() => { put('b') })
  ])
  t.same(results.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled'])
  const has = (key: string): boolean => environment.trees.catalog.getBinary(Buffer.from(key)) !== undefined
  t.same([has('a'), has('half'), has('b')], [true, false, true])
})
