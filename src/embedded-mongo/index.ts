import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { readLogin, type Login } from './access/login.js'
import { announceStore, claimDataFolder } from './data-folder.js'
import type { WorkerInput, WorkerMessage } from './worker.js'

export { checkFormat, findRunningStore, writeFormat, type RunningStore } from './data-folder.js'

export interface EmbeddedMongoOptions {
  /** Folder of the data; made if it is not there, readable by its owner only. */
  dataDir: string
  /** Also serve this loopback port, without a login; 0 for a free one. */
  port?: number
  /**
   * Serve a free loopback port that asks for a login (SCRAM-SHA-256) in place of the private socket; `uri` carries a
   * password made for the folder and kept in it. Default true on Windows, where Node has no Unix sockets.
   */
  loopbackLogin?: boolean
  /** Called if the store stops without {@link EmbeddedMongo.close}. */
  onExit?: (error: Error) => void
  onWarning?: (message: string) => void
  /** How often TTL indexes are applied, in milliseconds; default 20,000. */
  ttlIntervalMS?: number
  /** Bytes the oplog may take up; default 256 MiB. */
  oplogBytes?: number
  /** How long a transaction may stay open, in milliseconds; default 60,000. */
  transactionLifetimeMS?: number
}

export interface EmbeddedMongo {
  /** A connection string for the driver or Mongoose. */
  uri: string
  /** The same over the loopback port, if there is one. */
  tcpUri?: string
  /** Stops serving, once what was acknowledged is on disk, and gives the folder back. */
  close: () => Promise<void>
}

/** Longest path of a Unix socket, without its terminating zero: 108 bytes on Linux, 104 on macOS (unix(7)). */
const MAX_SOCKET_PATH = process.platform === 'linux' ? 107 : 103

/**
 * Starts the MongoDB-compatible server in a worker thread.
 * @throws Error in one line if another process owns the folder or its format is newer
 */
export async function startEmbeddedMongo (options: EmbeddedMongoOptions): Promise<EmbeddedMongo> {
  const dataDir = resolve(options.dataDir)
  const release = claimDataFolder(dataDir)
  const socket = options.loopbackLogin ?? process.platform === 'win32' ? undefined : socketFor(dataDir)
  const tidy = (): void => {
    socket?.remove()
    release()
  }
  try {
    const login = socket === undefined ? readLogin(dataDir) : undefined
    const worker = spawnWorker({
      dataDir,
      socketPath: socket?.path,
      port: options.port,
      login,
      ttlIntervalMS: options.ttlIntervalMS,
      oplogBytes: options.oplogBytes,
      transactionLifetimeMS: options.transactionLifetimeMS
    })
    const { port, loginPort } = await untilReady(worker, options.onWarning)
    const tcpUri = port === undefined ? undefined : `mongodb://127.0.0.1:${port}/?directConnection=true`
    if (port !== undefined) options.onWarning?.(`embedded store: port ${port} is open on loopback, without a login`)
    const uri = socket === undefined ? loginUri(login!, loginPort!) : `mongodb://${encodeURIComponent(socket.path)}/?directConnection=true`
    const close = watchWorker(worker, tidy, options)
    try {
      announceStore(dataDir, uri)
    } catch (error) {
      await close()
      throw error
    }
    return { uri, ...(tcpUri === undefined ? {} : { tcpUri }), close }
  } catch (error) {
    tidy()
    throw error
  }
}

function loginUri ({ user, password }: Login, port: number): string {
  return `mongodb://${user}:${password}@127.0.0.1:${port}/?directConnection=true&authSource=admin&authMechanism=SCRAM-SHA-256`
}

/** The socket beside the data, or in a short private folder if its path would be too long. */
function socketFor (dataDir: string): { path: string, remove: () => void } {
  const path = join(dataDir, 'mongo.sock')
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return { path, remove: () => { rmSync(path, { force: true }) } }
  const base = Buffer.byteLength(tmpdir()) < 70 ? tmpdir() : '/tmp'
  const folder = mkdtempSync(join(base, 'pitwall-'))
  return { path: join(folder, 'mongo.sock'), remove: () => { rmSync(folder, { recursive: true, force: true }) } }
}

/**
 * Runs worker.js, or worker.ts through tsx, whose loader does not reach worker threads by itself. Of the process's flags
 * only source maps reach it: module hooks, as tracers and test runners load, would be a further thread beside the store's.
 */
function spawnWorker (input: WorkerInput): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./worker.js', import.meta.url), { workerData: input, execArgv: process.execArgv.filter((flag) => flag === '--enable-source-maps') })
  const entry = new URL('./worker.ts', import.meta.url).href
  const bootstrap = `import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))}).then(({ register }) => { register(); return import(${JSON.stringify(entry)}) })`
  return new Worker(bootstrap, { eval: true, workerData: input, execArgv: [] })
}

async function untilReady (worker: Worker, onWarning: EmbeddedMongoOptions['onWarning']): Promise<{ port: number | undefined, loginPort: number | undefined }> {
  worker.on('message', (message: WorkerMessage) => { if (message.type === 'warning') onWarning?.(message.message) })
  return await new Promise((resolve, reject) => {
    const onMessage = (message: WorkerMessage): void => {
      if (message.type !== 'ready') return
      stopListening()
      resolve(message)
    }
    const onError = (error: Error): void => {
      stopListening()
      reject(error)
    }
    const onExit = (code: number): void => { onError(new Error(`the embedded store stopped while starting (exit code ${code})`)) }
    const stopListening = (): void => {
      worker.off('message', onMessage)
      worker.off('error', onError)
      worker.off('exit', onExit)
    }
    worker.on('message', onMessage)
    worker.on('error', onError)
    worker.on('exit', onExit)
  })
}

/** Tells of an end that was not asked for; returns the `close` that asks for it. */
function watchWorker (worker: Worker, tidy: () => void, { onExit }: EmbeddedMongoOptions): () => Promise<void> {
  let closing: Promise<void> | undefined
  let failure: Error | undefined
  const exited = new Promise<void>(resolve => {
    worker.once('exit', code => {
      tidy()
      if (closing === undefined) onExit?.(failure ?? new Error(`the embedded store stopped (exit code ${code})`))
      resolve()
    })
  })
  worker.on('error', error => { failure = error as Error })
  return async () => {
    closing ??= (async () => {
      worker.postMessage('close')
      await exited
    })()
    await closing
  }
}
