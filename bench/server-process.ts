import { fork, type ChildProcess, type ForkOptions } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type * as EmbeddedMongo from '../src/embedded-mongo/index.js'
import packageJson from '../package.json' with { type: 'json' }
import { addressOf } from './server-address.js'

/** The embedded store as it is built. */
export const { startEmbeddedMongo } = await import(new URL('../dist/src/embedded-mongo/index.js', import.meta.url).href) as typeof EmbeddedMongo

/** A server in a process of its own, that can be asked for its CPU time. */
export interface ServerProcess { child: ChildProcess, port: number }

/** What `npm start` gives Node. */
export const startFlags: readonly string[] = packageJson.scripts.start.split(' ').filter((word) => word.startsWith('--'))

/** Lets a process say what CPU time it has taken. */
const PROBE = `data:text/javascript,${encodeURIComponent(`
process.on('message', message => { if (message === 'cpu') { const { user, system } = process.cpuUsage(); process.send({ cpu: user + system }) } })
process.channel?.unref()`)}`

function forkServer (file: string, argument: string[], options: ForkOptions): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), argument, { execArgv: [`--import=${PROBE}`], ...options, env: { ...process.env, NODE_ENV: 'production', ...options.env } })
}

/** Starts a script of this folder that sends its port once it listens. */
export async function startPeer (file: string, ...argument: string[]): Promise<ServerProcess> {
  const child = forkServer(file, argument, {})
  const [port] = await once(child, 'message') as [number]
  return { child, port }
}

/** Starts the built server over a database, its files in the directory. With PROFILE in the environment it leaves a CPU profile there. */
export async function startPitwall (directory: string, uri: string, env: Record<string, string>): Promise<ServerProcess> {
  const child = forkServer('../dist/src/server.js', [], {
    execArgv: [`--import=${PROBE}`, ...startFlags, ...(process.env.PROFILE ? ['--cpu-prof', `--cpu-prof-dir=${process.env.PROFILE}`] : [])],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    env: {
      HOST: '127.0.0.1',
      PORT: '0',
      DATA_DIR: join(directory, 'data'),
      MONGODB_URI: uri,
      JWT_SECRET: 'bench-secret-0123456789-0123456789',
      LOG_LEVEL: 'warn',
      ...env
    }
  })
  return { child, port: Number((await addressOf(child)).port) }
}

/** CPU time a server has taken, in microseconds. */
export async function cpuOf ({ child }: ServerProcess): Promise<number> {
  child.send('cpu')
  const [{ cpu }] = await once(child, 'message') as [{ cpu: number }]
  return cpu
}

export async function stopServer ({ child }: ServerProcess): Promise<void> {
  child.kill('SIGTERM')
  await once(child, 'exit')
}
