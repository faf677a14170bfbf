import { test } from 'tap'
import { createCredentialCache } from '../../src/identity/credential-cache.js'
import type { Identity } from '../../src/identity/identity.js'

const car: Identity = { kind: 'key', id: 'car', name: 'Car 7', scopes: new Set(['read']) }

function makeCache (options: { max?: number } = {}) {
  const clock = { time: 1_000_000 }
  const cache = createCredentialCache({ ttl: 10_000, missTtl: 1000, now: () => clock.time, ...options })
  let loads = 0
  const resolve = (key: string, identity: Identity | null) => cache.resolve(key, async () => {
    loads++
    return identity
  })
  return { clock, cache, resolve, loads: () => loads }
}

test('loads a credential once while it is believed', async (t) => {
  const { clock, resolve, loads } = makeCache()
  for (let round = 0; round < 3; round++) t.equal(await resolve('a', car), car)
  t.equal(loads(), 1)
  clock.time += 10_001
  await resolve('a', car)
  t.equal(loads(), 2)
})

test('lets many askers at once share one load', async (t) => {
  const { resolve, loads } = makeCache()
  await Promise.all(Array.from({ length: 20 }, () => resolve('a', car)))
  t.equal(loads(), 1)
})

test('asks again for an unknown credential after a second', async (t) => {
  const { clock, resolve, loads } = makeCache()
  t.equal(await resolve('a', null), null)
  t.equal(await resolve('a', car), null)
  clock.time += 1001
  t.equal(await resolve('a', car), car)
  t.equal(loads(), 2)
})

test('does not believe a credential beyond its end', async (t) => {
  const { clock, resolve, loads } = makeCache()
  await resolve('a', { ...car, expiresAt: clock.time + 50 })
  clock.time += 51
  t.equal(await resolve('a', null), null)
  t.equal(loads(), 2)
})

test('forgets every entry of a revoked credential', async (t) => {
  const { cache, resolve } = makeCache()
  await resolve('header', car)
  await resolve('cookie', car)
  cache.forget(car.id)
  t.equal(await resolve('header', null), null)
  t.equal(await resolve('cookie', null), null)
})

test('keeps nothing that was loaded while it was revoked', async (t) => {
  const { cache, resolve } = makeCache()
  let finish: (identity: Identity) => void = () => {}
  const early = cache.resolve('a', () => new Promise<Identity>((resolve) => { finish = resolve }))
  cache.forget(car.id)
  const late = resolve('a', null)
  finish(car)
  t.equal(await early, car, 'who asked before gets what held then')
  t.equal(await late, null, 'who asks after does not')
  t.equal(await resolve('a', null), null)
})

test('holds no more entries than it may', async (t) => {
  const { resolve, loads } = makeCache({ max: 3 })
  for (const key of ['a', 'b', 'c', 'd']) await resolve(key, { ...car, id: key })
  await resolve('d', null)
  t.equal(loads(), 4, 'the newest is kept')
  await resolve('a', null)
  t.equal(loads(), 5, 'the oldest is not')
})

test('passes a failed load on and tries again', async (t) => {
  const { cache, resolve } = makeCache()
  await t.rejects(cache.resolve('a', async () => { throw new Error('the store is away') }), /away/)
  t.equal(await resolve('a', car), car)
})
