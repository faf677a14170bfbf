import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'tap'
import { createConcurrencyLimit } from '../../src/identity/concurrency-limit.js'

test('runs so many at once, lets so many wait, refuses the rest', async (t) => {
  const limit = createConcurrencyLimit(2, 3)
  const finish: (() => void)[] = []
  const task = async (): Promise<string> => {
    await new Promise<void>((resolve) => { finish.push(resolve) })
    return 'done'
  }
  const accepted = Array.from({ length: 5 }, async () => await limit(task))
  t.equal(finish.length, 2, 'two run')
  await t.rejects(limit(task), { code: 'OVERLOADED' })
  await t.rejects(limit(async () => { throw new Error('never run') }), { code: 'OVERLOADED' })
  for (let ended = 0; ended < 5; ended++) {
    finish[ended]?.()
    await turn()
  }
  t.same(await Promise.all(accepted), ['done', 'done', 'done', 'done', 'done'])
  await t.rejects(limit(async () => { throw new Error('failed') }), { message: 'failed' })
  t.equal(await limit(async () => 'again'), 'again', 'a task that fails makes room')
})
