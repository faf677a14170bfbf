import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { test, type Test } from 'tap'
import { plainNode } from '../helpers/plain-node.js'
import { restClient } from '../helpers/rest-client.js'
import { startServer } from '../helpers/server-process.js'

/** Runs an example as its first lines say, ended after the test. */
function runExample (t: Test, name: string, directory: string, env: NodeJS.ProcessEnv) {
  const child = spawn(...plainNode([fileURLToPath(new URL(`../../examples/${name}`, import.meta.url))]), {
    cwd: directory, env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe']
  })
  let text = ''
  const lookers = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      for (const look of lookers) look()
    })
  }
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  return {
    child,
    output: () => text,
    /** Resolves once the example has written what matches, from now on or, by default, ever. */
    wrote: (pattern: RegExp, from = 0) => new Promise<void>((resolve) => {
      const look = () => {
        if (!pattern.test(text.slice(from))) return
        lookers.delete(look)
        resolve()
      }
      lookers.add(look)
      look()
    })
  }
}

test('the Node example sends, receives and ends tidily', async (t) => {
  const server = await startServer(t, t.testdir({}), { SIMULATE: '0' })
  const settings = { PITWALL_URL: `${server.socketUrl}/ws`, VEHICLE: 'car-9' }
  const example = runExample(t, 'node.mjs', t.testdirName, { ...settings, PITWALL_KEY: server.key })
  await example.wrote(/^\d{4}-\S+Z \{ speed: \d+, gear: '[45]' \}$/m)
  example.child.kill('SIGTERM')
  const [code] = await once(example.child, 'exit') as [number | null]
  t.equal(code, 0, example.output())
  const { body } = await restClient(server.url, server.key)<{ state: { speed: { v: number } } }>('GET', '/api/vehicles/car-9')
  t.type(body.data.state.speed.v, 'number')

  const refused = runExample(t, 'node.mjs', t.testdirName, { ...settings, PITWALL_KEY: 'pw_wrong-key-0123456789' })
  const [failure] = await once(refused.child, 'exit') as [number | null]
  t.equal(failure, 1)
  t.match(refused.output(), /UNAUTHORIZED: the server does not accept the credentials/)
})

test('the flaky device loses no sample and stores none twice', async (t) => {
  const directory = t.testdir({ server: {}, device: {} })
  const start = (port: string) => startServer(t, `${directory}/server`, { SIMULATE: '0', PORT: port, API_KEY: 'device-test-key-0123456789' })
  let server = await start('0')
  const count = 400
  const device = runExample(t, 'flaky-device.mjs', `${directory}/device`, {
    PITWALL_URL: server.url, PITWALL_KEY: server.key, VEHICLE: 'car-8', COUNT: String(count)
  })
  await device.wrote(/sent \d+ samples/)
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const gone = once(server.child, 'exit')
    server.child.kill(signal)
    await gone
    await device.wrote(/again in/, device.output().length)
    server = await start(new URL(server.url).port)
    await device.wrote(/sent \d+ samples/, device.output().length)
  }
  const [code] = await once(device.child, 'exit') as [number | null]
  t.equal(code, 0, device.output())
  const { body } = await restClient(server.url, server.key)<{ n: { v: number }[] }>('GET', '/api/vehicles/car-8/telemetry?signals=n')
  t.strictSame(body.data.n.map(({ v }) => v), Array.from({ length: count }, (_, n) => n))
})
