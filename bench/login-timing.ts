import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { addressOf } from './server-address.js'

/**
 * `npm run bench -- login-timing [rounds]`: whether the time of a refused sign-in tells who
 * has an account. Unknown emails, wrong passwords and people without a password are asked
 * for in random order; default 200 rounds. Needs a build.
 */
const rounds = Number(process.argv[2] ?? 200)
const directory = mkdtempSync(join(tmpdir(), 'pitwall-bench-'))
const apiKey = 'bench-admin-key-0123456789'
const server = spawn(process.execPath, [fileURLToPath(new URL('../dist/src/server.js', import.meta.url))], {
  cwd: directory,
  env: { PATH: process.env.PATH, PORT: '0', DATA_DIR: 'data', API_KEY: apiKey, SIMULATE: '0', LOG_LEVEL: 'silent', LOGIN_ATTEMPT_LIMIT: '100', TRUST_PROXY: '127.0.0.1' },
  stdio: ['ignore', 'pipe', 'inherit']
})
process.on('exit', () => { server.kill('SIGKILL') })
const url = (await addressOf(server)).origin

let clients = 0

/** Each from an address of its own, so that nobody is asked to wait. */
const post = (path: string, body: object, headers: Record<string, string> = {}) => fetch(url + path, {
  method: 'POST',
  headers: { ...headers, 'content-type': 'application/json', 'x-forwarded-for': `10.0.${++clients >> 8}.${clients & 255}` },
  body: JSON.stringify(body)
})
for (const [name, password] of [['Ada', 'seven red kites over'], ['Bob', undefined]] as const) {
  await (await post('/api/user', { name, email: `${name}@pits.example`, password }, { 'x-api-key': apiKey })).text()
}

const kinds = {
  'wrong password': () => 'ada@pits.example',
  'unknown email': () => `nobody-${Math.random()}@pits.example`,
  'no password set': () => 'bob@pits.example'
}
type Kind = keyof typeof kinds
const times = new Map<Kind, number[]>(Object.keys(kinds).map((kind) => [kind as Kind, []]))

async function attempt (kind: Kind): Promise<number> {
  const start = performance.now()
  const response = await post('/api/auth/login', { email: kinds[kind](), password: 'wrong password here' })
  await response.text()
  if (response.status !== 401) throw new Error(`${kind} was answered ${response.status}`)
  return performance.now() - start
}

for (let round = -20; round < rounds; round++) {
  for (const kind of ([...times.keys()].sort(() => Math.random() - 0.5))) {
    const time = await attempt(kind)
    if (round >= 0) times.get(kind)?.push(time)
  }
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0

/** Difference of medians that chance alone exceeds once in a hundred times, by shuffling who is who. */
function noise (left: number[], right: number[]): number {
  const all = [...left, ...right]
  const differences = Array.from({ length: 2000 }, () => {
    for (let i = all.length - 1; i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1));
      [all[i], all[j]] = [all[j] ?? 0, all[i] ?? 0]
    }
    return Math.abs(median(all.slice(0, left.length)) - median(all.slice(left.length)))
  })
  return differences.sort((a, b) => a - b)[1980] ?? 0
}

console.log(`${rounds} refused sign-ins of each kind, in random order, one at a time, over loopback`)
const wrong = times.get('wrong password') ?? []
console.log(`wrong password: median ${median(wrong).toFixed(2)} ms`)
let holds = true
for (const kind of ['unknown email', 'no password set'] as const) {
  const other = times.get(kind) ?? []
  const difference = median(other) - median(wrong)
  const allowed = noise(wrong, other)
  holds &&= Math.abs(difference) <= allowed
  console.log(`${kind}: median ${median(other).toFixed(2)} ms, ratio ${(median(other) / median(wrong)).toFixed(3)}, difference ${difference.toFixed(2)} ms, noise up to ${allowed.toFixed(2)} ms`)
}
console.log(holds ? 'no difference beyond noise: holds' : 'a difference beyond noise: DOES NOT HOLD')
server.kill('SIGTERM')
await once(server, 'exit')
rmSync(directory, { recursive: true, force: true })
process.exitCode = holds ? 0 : 1
