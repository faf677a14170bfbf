import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import closeWithGrace from 'close-with-grace'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { ConfigError, loadConfig, type Config } from './config.js'
import { startEmbeddedMongo, type EmbeddedMongo, type EmbeddedMongoOptions } from './embedded-mongo/index.js'
import { createLogger } from './logger.js'
import { describeStart } from './start-message.js'
import { watchSteps } from './start-progress.js'
import { packageDirectory } from './version.js'

/** Time in milliseconds that a shutdown may take before the process ends regardless. */
const CLOSE_DELAY = 9000

/** What has to be closed again. */
interface Running { start?: Promise<void>, store?: EmbeddedMongo, app?: FastifyInstance }

/** The settings, once they are read. */
let settings: Config | undefined

async function main (): Promise<void> {
  const config = settings = loadConfig()
  if (config.redisUrl) throw new ConfigError('REDIS_URL was given, but running on several processes is not there yet; allowed: unset')
  const logger = createLogger(config)
  const running: Running = {}

  // Registered before anything is opened: a signal during the start closes it too, once all that is being opened is there.
  const closing = closeWithGrace({ delay: CLOSE_DELAY, logger }, async ({ signal, err }) => {
    if (err) logger.fatal({ err }, 'closing after an error')
    else logger.info({ signal }, 'closing')
    if (!err) await running.start
    await running.app?.close()
    await running.store?.close()
    logger.info('closed')
  })

  running.start = start(config, logger, running, (error) => {
    logger.fatal({ err: error }, 'the embedded store ended')
    process.exitCode = 1
    closing.close()
  })
  await running.start
}

/** Opens the store and the server, each noted in `running` as soon as it is open. */
async function start (config: Config, logger: FastifyBaseLogger, running: Running, onStoreExit: (error: Error) => void): Promise<void> {
  const progress = watchSteps((line) => { logger.info(line) })
  try {
    await open(config, logger, running, onStoreExit, progress.enter)
  } finally {
    progress.end()
  }
}

async function open (config: Config, logger: FastifyBaseLogger, running: Running, onStoreExit: (error: Error) => void, enter: (step: string) => void): Promise<void> {
  enter(config.mongodbUri ? 'loading' : `opening the data in ${config.dataDir}`)
  const storeOpening = config.mongodbUri
    ? undefined
    : openStore({
      dataDir: config.dataDir,
      ...(config.embeddedMongoPort !== undefined && { port: config.embeddedMongoPort }),
      onWarning: (message) => { logger.warn(message) },
      onExit: onStoreExit
    })
  // The application's modules load while the store's worker comes up.
  const [{ buildApp }, store] = await Promise.all([import('./app.js'), storeOpening])
  if (store) running.store = store
  const mongodbUri = config.mongodbUri ?? store?.uri
  if (mongodbUri === undefined) throw new Error('no database address')
  enter('building the server')
  const publicDir = fileURLToPath(new URL('public', packageDirectory))
  const app = await buildApp({ ...config, mongodbUri }, { logger, ...(existsSync(publicDir) && { publicDir }) })
  running.app = app
  enter(`opening port ${config.port}`)
  await app.listen({ port: config.port, host: config.host })
  enter('looking for an admin key')
  const { firstKey } = await app.identities.bootstrap()
  process.stdout.write(describeStart(app, config, firstKey))
}

/** The embedded store; a folder it may not use is a setting to mend, not a fault. */
async function openStore (options: EmbeddedMongoOptions): Promise<EmbeddedMongo> {
  try {
    return await startEmbeddedMongo(options)
  } catch (error) {
    const { code, port, message } = error as NodeJS.ErrnoException & { port?: number }
    if (port !== undefined && port === options.port) throw new ConfigError(`EMBEDDED_MONGO_PORT ${port} ${code === 'EADDRINUSE' ? 'is in use; set it to another, or stop what listens there' : `cannot be opened: ${message}`}`)
    throw new ConfigError(`DATA_DIR: ${message}`)
  }
}

/** The one line to print for a start that failed for a reason the user can mend; null for our own faults. */
async function explainFailure (error: unknown): Promise<string | null> {
  const fault = error as NodeJS.ErrnoException & { port?: number, address?: string, hostname?: string }
  if (error instanceof ConfigError) return error.message
  if (fault.code === 'EADDRINUSE') return `PORT ${fault.port} on ${fault.address} is in use; set PORT to another, or stop what listens there`
  if (fault.code === 'EACCES' && fault.port !== undefined) return `PORT ${fault.port} needs privileges; set PORT to 1024 or above`
  if (fault.code === 'EADDRNOTAVAIL') return `HOST ${fault.address} is not an address of this machine`
  if (fault.syscall === 'getaddrinfo' && fault.hostname === settings?.host) return `HOST ${fault.hostname} is not an address of this machine`
  if (fault.code === 'FST_ERR_DUPLICATED_ROUTE' && fault.message.includes(`'${settings?.socketPath}'`)) return `SOCKET_PATH was given "${settings?.socketPath}", where something else is served; allowed: another path`
  if (settings?.mongodbUri !== undefined && /^Mongo(Parse|InvalidArgument|API|Runtime)Error$/.test(fault.name)) {
    // The last repeats what it took for a host, which of an address without one may be the password.
    const reason = fault.name === 'MongoRuntimeError' ? 'its hosts cannot be read' : fault.message
    return `MONGODB_URI was given something else (${reason}); allowed: mongodb:// or mongodb+srv:// address`
  }
  if (fault.syscall?.startsWith('query')) return `MONGODB_URI: there is no server list of ${redactedHosts()}`
  const { isStoreUnavailable } = await import('./models/store-errors.js')
  if (isStoreUnavailable(error)) return `MONGODB_URI: no MongoDB answers at ${redactedHosts()} within 5 s`
  return null
}

function redactedHosts (): string {
  return /^mongodb(?:\+srv)?:\/\/(?:[^@/]*@)?([^/?]+)/.exec(settings?.mongodbUri ?? '')?.[1] ?? 'the given address'
}

main().catch(async (error: unknown) => {
  const line = await explainFailure(error)
  process.stderr.write(line === null ? `Pitwall could not start: ${error instanceof Error ? error.stack : String(error)}\n` : `Pitwall could not start. ${line}\n`)
  process.exit(1)
})
