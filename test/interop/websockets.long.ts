import { execFile, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { test } from 'tap'
import { startServer } from '../helpers/server-process.js'

// Debian's own interpreter: another first on the path may not have its packages.
const python = process.env.PYTHON ?? '/usr/bin/python3'
const script = fileURLToPath(new URL('websockets_session.py', import.meta.url))

/** Why this cannot run, or false. In CI its absence is a failure: nothing is skipped there. */
function whyNoPackage (): string | false {
  const { status } = spawnSync(python, ['-c', 'import websockets'])
  if (status === 0) return false
  const reason = `${python} has no websockets: install Debian's python3-websockets or set PYTHON`
  if (process.env.CI) throw new Error(reason)
  return reason
}

test('a Python program finds all it expects of a WebSocket', { skip: whyNoPackage() }, async (t) => {
  const server = await startServer(t, t.testdir({}), { SIMULATE: '0' })
  const { stdout } = await promisify(execFile)(python, [script, `${server.socketUrl}/ws`, server.key], { timeout: 30_000 })
  const lines = stdout.trim().split('\n').map((line) => JSON.parse(line) as { name: string })
  t.match(lines, [
    { name: 'plain', echoed: true, protocol: 'plain' },
    { name: 'status', data: { vehicle: 'python', motorRPM: 4200, fahrer: 'Jürgen 🏁' } },
    { name: 'fragments', protocol: 'pitwall.v1', n: 1, length: 1000 },
    { name: 'ping', answered: true },
    { name: 'extensions', names: [] },
    { name: 'large', length: 500_000 },
    { name: 'binary', code: 'BAD_REQUEST' },
    { name: 'close', code: 1000 },
    { name: 'resume', recovered: true, numbers: [1, 2] },
    { name: 'refused', status: 401 }
  ])
  t.equal(lines.length, 10)
})
