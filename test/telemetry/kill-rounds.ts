import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { MongoClient } from 'mongodb'
import type { Test } from 'tap'
import { startEmbeddedMongo } from '../../src/embedded-mongo/index.js'
import type { SignalValue } from '../../src/telemetry/signals.js'
import { startServer, type ServerProcess } from '../helpers/server-process.js'
import { aggregate, sorted, type Stored } from './rollup-model.js'

const key = 'kill-rounds-key-0123456789'
const headers = { 'x-api-key': key, 'content-type': 'application/json' }
const vehicles = ['car-1', 'car-2', 'car-3']
const settings = { API_KEY: key, SIMULATE: '0', INGEST_RATE_LIMIT: '100000', RATE_LIMIT_MAX: '100000', LOG_LEVEL: 'warn' }

interface Row { ts: string, values: Record<string, SignalValue> }
interface Acknowledged { vehicle: string, ts: number, speed: number }

/** Sends until the server is gone: some of now, some of earlier minutes, some again. */
async function sendUntilGone (url: string, vehicle: string, from: number, acknowledged: Acknowledged[], sending: AbortSignal): Promise<void> {
  for (let round = 0; !sending.aborted; round++) {
    const late = round % 3 === 0 ? 120_000 : 0
    const samples = Array.from({ length: 1 + Math.floor(Math.random() * 60) }, () => {
      const ts = from - late - Math.floor(Math.random() * 60_000)
      return { ts, values: { speed: ts % 300, [`only-${ts % 3}`]: String(ts % 7) } }
    })
    try {
      const response = await fetch(`${url}/api/vehicles/${vehicle}/telemetry`, { method: 'POST', headers, body: JSON.stringify(samples) })
      if (response.status !== 200) continue
      assert.deepEqual((await response.json() as { data: { rejected: unknown[] } }).data.rejected, [])
      for (const { ts, values } of samples) acknowledged.push({ vehicle, ts, speed: values.speed as number })
    } catch {
      return
    }
  }
}

async function checkAll (t: Test, url: string, acknowledged: Acknowledged[], from: number, to: number): Promise<void> {
  for (const vehicle of vehicles) {
    const read = async (path: string) => await fetch(`${url}/api/vehicles/${vehicle}${path}`, { headers })
    const exported = await read('/telemetry?format=ndjson')
    if (exported.status === 404) continue
    const rows = (await exported.text()).trim().split('\n').filter(Boolean).map((line) => JSON.parse(line) as Row)
    const stored = rows.map(({ ts, values }): Stored => ({ ts: Date.parse(ts), source: '', values }))
    const times = new Map(stored.map(({ ts, values }) => [ts, values.speed]))
    t.equal(times.size, stored.length, `${vehicle} has nothing twice`)
    t.same(acknowledged.filter((sample) => sample.vehicle === vehicle && times.get(sample.ts) !== sample.speed), [], `${vehicle} has all that was acknowledged`)
    for (const points of [1, 7, 60, 400]) {
      const history = await (await read(`/telemetry?from=${from}&to=${to}&points=${points}`)).json() as { data: object }
      assert.deepEqual(sorted(history.data), sorted(aggregate(stored, { from, to, points })))
    }
    const { data } = await (await read('')).json() as { data: { state: Record<string, { v: SignalValue, t: string }> } }
    const latest: Record<string, { v: SignalValue, t: string }> = {}
    for (const { ts, values } of rows) for (const [name, v] of Object.entries(values)) latest[name] = { v, t: ts }
    assert.deepEqual(sorted(data.state), sorted(latest))
  }
}

/** Kills the server at random moments, while samples come in and while they are rolled; history and state must be what the samples say. */
export async function killRounds (t: Test, rounds: number): Promise<void> {
  const directory = t.testdir({})
  const acknowledged: Acknowledged[] = []
  // An hour ago: what is over is rolled as soon as nothing comes in.
  const from = Date.now() - 3_600_000
  for (let round = 0; round <= rounds; round++) {
    const server = await startServer(t, directory, settings)
    await checkAll(t, server.url, acknowledged, from, from + 600_000)
    if (round === rounds) await server.stop()
    else await killSoon(server, from + 240_000, acknowledged, round % 2 === 0)
  }
  t.ok(acknowledged.length > rounds, `${acknowledged.length} samples were acknowledged`)
  const mongo = await startEmbeddedMongo({ dataDir: join(directory, 'data') })
  const client = await new MongoClient(mongo.uri).connect()
  t.teardown(async () => {
    await client.close()
    await mongo.close()
  })
  t.ok(await client.db('pitwall').collection('rollups').countDocuments() > 0, 'some of it was rolled')
}

async function killSoon (server: ServerProcess, from: number, acknowledged: Acknowledged[], isWhileSending: boolean): Promise<void> {
  const sending = new AbortController()
  const senders = vehicles.map((vehicle) => sendUntilGone(server.url, vehicle, from, acknowledged, sending.signal))
  await delay(100 + Math.random() * 500)
  if (!isWhileSending) {
    sending.abort()
    await Promise.all(senders)
    // Minutes are rolled some three seconds after the last sample.
    await delay(3000 + Math.random() * 1500)
  }
  server.child.kill('SIGKILL')
  await once(server.child, 'exit')
  await Promise.all(senders)
}
