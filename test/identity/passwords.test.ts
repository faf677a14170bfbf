import bcrypt from 'bcryptjs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { test } from 'tap'
import { hashPassword, verifyPassword } from '../../src/identity/passwords.js'

test('hashes with argon2id at the stated cost', async (t) => {
  const hash = await hashPassword('seven red kites')
  t.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  t.not(hash, await hashPassword('seven red kites'), 'each hash has a salt of its own')
})

test('knows a password by its hash', async (t) => {
  const hash = await hashPassword('seven red kites')
  t.same(await verifyPassword(hash, 'seven red kites'), { matches: true, outdated: false })
  t.same(await verifyPassword(hash, 'seven red kite'), { matches: false, outdated: false })
})

test('knows a password however it is composed', async (t) => {
  const hash = await hashPassword('caf\u00e9 au lait noir')
  t.equal((await verifyPassword(hash, 'cafe\u0301 au lait noir')).matches, true)
})

test('accepts bcrypt hashes and calls them outdated', async (t) => {
  const hash = await bcrypt.hash('seven red kites', 4)
  t.same(await verifyPassword(hash, 'seven red kites'), { matches: true, outdated: true })
  t.same(await verifyPassword(hash, 'something else'), { matches: false, outdated: false })
})

test('says no without a hash', async (t) => {
  for (const stored of [undefined, null]) {
    t.same(await verifyPassword(stored, ''), { matches: false, outdated: false })
    t.same(await verifyPassword(stored, 'seven red kites'), { matches: false, outdated: false })
  }
})

test('keeps the event loop free while hashing', async (t) => {
  let turns = 0
  const timer = setInterval(() => { turns++ }, 1)
  await Promise.all(Array.from({ length: 6 }, () => hashPassword('seven red kites')))
  clearInterval(timer)
  t.ok(turns > 5, `${turns} turns of the event loop during six hashes`)
})

test('keeps the event loop free while checking bcrypt', async (t) => {
  const hash = await bcrypt.hash('seven red kites', 11)
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  const start = performance.now()
  t.equal((await verifyPassword(hash, 'seven red kites')).matches, true)
  const took = performance.now() - start
  delay.disable()
  t.ok(delay.max / 1e6 < took / 2, `held up for ${delay.max / 1e6} ms of ${took} ms`)
})

test('refuses more sign-ins than it can queue', async (t) => {
  const results = await Promise.allSettled(Array.from({ length: 80 }, () => verifyPassword(undefined, 'x')))
  const refused = results.filter(({ status }) => status === 'rejected')
  t.ok(refused.length > 0 && refused.length < 80)
  for (const result of refused) t.match(result, { reason: { code: 'OVERLOADED', retryAfter: 1 } })
})
