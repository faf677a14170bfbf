import { parentPort, workerData } from 'node:worker_threads'
import type { Login } from './access/login.js'
import { makeCredentials } from './access/scram.js'
import { Engine } from './engine.js'
import { WireServer } from './server.js'

/** What the starting thread hands over. */
export interface WorkerInput {
  dataDir: string
  socketPath: string | undefined
  port: number | undefined
  /** A loopback port of its own, for this user only; where there is no socket. */
  login: Login | undefined
  ttlIntervalMS: number | undefined
  oplogBytes: number | undefined
  transactionLifetimeMS: number | undefined
}

export type WorkerMessage = { type: 'ready', port: number | undefined, loginPort: number | undefined } | { type: 'warning', message: string } | { type: 'closed' }

const port = parentPort
if (port === null) throw new Error('the embedded store runs in a worker thread')
const tell = (message: WorkerMessage): void => { port.postMessage(message) }

const { socketPath, port: tcpPort, login, ...options } = workerData as WorkerInput
const engine = new Engine({ ...options, onWarning: message => { tell({ type: 'warning', message }) } })
await engine.start()
const server = new WireServer(engine)
if (socketPath !== undefined) await server.listenSocket(socketPath)
const actualPort = tcpPort === undefined ? undefined : await server.listenPort(tcpPort)
const loginPort = login === undefined ? undefined : await server.listenPort(0, makeCredentials(login.user, login.password))

port.once('message', () => {
  const close = async (): Promise<void> => {
    await server.close()
    await engine.close()
    tell({ type: 'closed' })
    port.close()
  }
  close().catch((error: unknown) => { throw error })
})
tell({ type: 'ready', port: actualPort, loginPort })
