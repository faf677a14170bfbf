import { test } from 'tap'
import { createBackoff } from '../../src/identity/backoff.js'

function makeBackoff () {
  const clock = { time: 1_000_000 }
  const backoff = createBackoff({ free: 3, base: 1000, max: 8000, now: () => clock.time })
  /** Seconds to wait, 0 when the attempt was let through. */
  const attempt = (key: string) => {
    try {
      backoff.begin(key)
      return 0
    } catch (error) {
      return (error as { retryAfter: number }).retryAfter
    }
  }
  return { clock, backoff, attempt }
}

test('lets the first attempts through, then waits longer each time', async (t) => {
  const { clock, attempt } = makeBackoff()
  t.same([attempt('ada'), attempt('ada'), attempt('ada')], [0, 0, 0])
  const waits: number[] = []
  for (let round = 0; round < 5; round++) {
    waits.push(attempt('ada'))
    clock.time += 60_000
    attempt('ada')
  }
  t.same(waits, [1, 2, 4, 8, 8])
})

test('counts each key by itself', async (t) => {
  const { attempt } = makeBackoff()
  for (let round = 0; round < 3; round++) attempt('ada')
  t.equal(attempt('ada'), 1)
  t.equal(attempt('bob'), 0)
})

test('forgets attempts on success', async (t) => {
  const { backoff, attempt } = makeBackoff()
  for (let round = 0; round < 3; round++) attempt('ada')
  backoff.clear('ada')
  t.same([attempt('ada'), attempt('ada')], [0, 0])
})

test('takes back one attempt and its wait', async (t) => {
  const { backoff, attempt } = makeBackoff()
  for (let round = 0; round < 3; round++) attempt('10.0.0.1')
  backoff.undo('10.0.0.1')
  t.equal(attempt('10.0.0.1'), 0)
  t.equal(attempt('10.0.0.1'), 1)
})

test('forgets attempts after an hour', async (t) => {
  const { clock, attempt } = makeBackoff()
  for (let round = 0; round < 3; round++) attempt('ada')
  clock.time += 3_600_001
  t.same([attempt('ada'), attempt('ada'), attempt('ada')], [0, 0, 0])
})
