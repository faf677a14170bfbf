import { t as root, test } from 'tap'
import { createBackoff } from '../../src/identity/backoff.js'
import { startApp } from '../helpers/build-app.js'

const { app } = await startApp(root)
let backoffs = 0

function makeBackoff () {
  const clock = { time: 1_000_000 }
  const name = `backoff ${++backoffs}`
  const make = () => createBackoff({ model: app.models.loginAttempts, name, free: 3, base: 1000, max: 8000, now: () => clock.time })
  const backoff = make()
  /** Seconds to wait, 0 when the attempt was let through. */
  const attempt = async (key: string, at = backoff) => {
    try {
      await at.begin(key)
      return 0
    } catch (error) {
      return (error as { retryAfter: number }).retryAfter
    }
  }
  return { clock, backoff, make, attempt }
}

test('lets the first attempts through, then waits longer each time', async (t) => {
  const { clock, attempt } = makeBackoff()
  t.same([await attempt('ada'), await attempt('ada'), await attempt('ada')], [0, 0, 0])
  const waits: number[] = []
  for (let round = 0; round < 5; round++) {
    waits.push(await attempt('ada'))
    clock.time += 60_000
    await attempt('ada')
  }
  t.same(waits, [1, 2, 4, 8, 8])
})

test('counts each key by itself', async (t) => {
  const { attempt } = makeBackoff()
  for (let round = 0; round < 3; round++) await attempt('ada')
  t.equal(await attempt('ada'), 1)
  t.equal(await attempt('bob'), 0)
})

test('counts attempts on all nodes together', async (t) => {
  const { make, attempt } = makeBackoff()
  const nodes = [make(), make()]
  for (let round = 0; round < 3; round++) t.equal(await attempt('ada', nodes[round % 2]), 0)
  t.same(await Promise.all(nodes.map((node) => attempt('ada', node))), [1, 1])
})

test('lets no more through when all come at once', async (t) => {
  const { make, attempt } = makeBackoff()
  const nodes = [make(), make()]
  const waits = await Promise.all(Array.from({ length: 20 }, (_, index) => attempt('ada', nodes[index % 2])))
  t.equal(waits.filter((wait) => wait === 0).length, 3)
})

test('forgets attempts on success', async (t) => {
  const { backoff, attempt } = makeBackoff()
  for (let round = 0; round < 3; round++) await attempt('ada')
  await backoff.clear('ada')
  t.same([await attempt('ada'), await attempt('ada')], [0, 0])
})

test('takes back one attempt and its wait', async (t) => {
  const { backoff, attempt } = makeBackoff()
  for (let round = 0; round < 3; round++) await attempt('10.0.0.1')
  await backoff.undo('10.0.0.1')
  t.equal(await attempt('10.0.0.1'), 0)
  t.equal(await attempt('10.0.0.1'), 1)
})

test('forgets attempts after an hour', async (t) => {
  const { clock, attempt } = makeBackoff()
  for (let round = 0; round < 3; round++) await attempt('ada')
  clock.time += 3_600_001
  t.same([await attempt('ada'), await attempt('ada'), await attempt('ada')], [0, 0, 0])
})

test('keeps neither address nor email', async (t) => {
  const { attempt } = makeBackoff()
  await attempt('ada@pits.example')
  const stored = JSON.stringify(await app.models.loginAttempts.find().lean())
  t.notMatch(stored, /ada|pits/)
})
