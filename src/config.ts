import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import { parseEnv } from 'node:util'
import { envSchema } from 'env-schema'
import { Type, type Static } from 'typebox'
import type { InputLimits } from './json-input.js'

const flag = (value: boolean, description: string) => Type.Boolean({ default: value, description })
const TOKEN = '^[!#$%&\'*+.^_`|~0-9A-Za-z-]{20,256}$'

/** Every environment variable Pitwall reads. Names and defaults are the contract of docs/settings.md. */
export const EnvironmentSchema = Type.Object({
  NODE_ENV: Type.String({ default: 'development', description: 'production turns on the safe defaults' }),
  PORT: Type.Integer({ default: 5000, minimum: 0, maximum: 65535, description: 'port to listen on' }),
  HOST: Type.Optional(Type.String({ description: 'address to listen on' })),
  PUBLIC_URL: Type.Optional(Type.String({ pattern: '^https?://[^/]+', description: 'address users open, http:// or https://' })),
  TLS_CERT: Type.Optional(Type.String({ description: 'path of a PEM certificate' })),
  TLS_KEY: Type.Optional(Type.String({ description: 'path of its PEM key' })),
  TRUST_PROXY: Type.String({ default: 'false', description: 'true, false, a hop count or proxy addresses' }),
  MONGODB_URI: Type.Optional(Type.String({ pattern: '^mongodb(\\+srv)?://', description: 'mongodb:// or mongodb+srv:// address' })),
  DATA_DIR: Type.String({ default: './data', description: 'folder of embedded data and secrets' }),
  EMBEDDED_MONGO_PORT: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535, description: 'loopback port' })),
  API_KEY: Type.Optional(Type.String({ pattern: TOKEN, description: '20 to 256 characters, letters, digits and !#$%&\'*+-.^_`|~' })),
  JWT_SECRET: Type.Optional(Type.String({ minLength: 32, description: 'at least 32 characters' })),
  CORS_ORIGIN: Type.String({ default: '', description: 'origins such as https://app.example, comma-separated' }),
  SOCKET_PATH: Type.String({ default: '/ws', pattern: '^/[A-Za-z0-9/_-]*$', description: 'path that starts with /' }),
  REDIS_URL: Type.Optional(Type.String({ pattern: '^rediss?://', description: 'redis:// or rediss:// address' })),
  SIMULATE: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000, description: 'number of simulated vehicles, 0 to 1000' })),
  DASHBOARD_ACCESS: Type.Optional(Type.Enum(['public-read', 'login'], { description: 'public-read or login' })),
  RETENTION_DAYS: Type.Number({ default: 30, exclusiveMinimum: 0, maximum: 3650, description: 'days, above 0' }),
  POSITION_RETENTION_DAYS: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 3650, description: 'days, above 0' })),
  RATE_LIMIT_MAX: Type.Integer({ default: 600, minimum: 1, description: 'requests per window' }),
  RATE_LIMIT_WINDOW: Type.String({ default: '1 minute', pattern: '^0*[1-9]\\d* ?(ms|milliseconds?|s|seconds?|m|minutes?|h|hours?)$', description: 'a time such as 1 minute or 30 seconds' }),
  INGEST_RATE_LIMIT: Type.Integer({ default: 600, minimum: 1, description: 'requests a second to the ingest routes, per key, 1 or more' }),
  INGEST_BUFFER: Type.Integer({ default: 32 * 1024 * 1024, minimum: 1024, description: 'bytes of samples that may wait for the store, 1024 or more' }),
  AUTH_FAILURE_LIMIT: Type.Integer({ default: 100, minimum: 0, description: 'unknown credentials a minute per address, 0 for any number' }),
  LOGIN_ATTEMPT_LIMIT: Type.Integer({ default: 5, minimum: 1, maximum: 1_000_000, description: 'wrong passwords before a person has to wait' }),
  WS_RATE_LIMIT: Type.Integer({ default: 1000, minimum: 0, description: 'messages a second, 0 for none' }),
  WS_UPGRADE_LIMIT: Type.Integer({ default: 2000, minimum: 0, description: 'new sockets a second, 0 for any number' }),
  WS_CONNECTION_LIMIT: Type.Integer({ default: 20_000, minimum: 0, description: 'sockets at once, 0 for any number' }),
  WS_KEY_CONNECTION_LIMIT: Type.Integer({ default: 10_000, minimum: 0, description: 'sockets at once of one key or session, 0 for any number' }),
  WS_ADDRESS_CONNECTION_LIMIT: Type.Integer({ default: 10_000, minimum: 0, description: 'sockets at once from one address, 0 for any number' }),
  WS_SUBSCRIPTION_LIMIT: Type.Integer({ default: 1000, minimum: 1, description: 'subscriptions of one socket, 1 or more' }),
  WS_REPLAY_LIMIT: Type.Integer({ default: 20, minimum: 1, description: 'replays of one socket, 1 or more' }),
  REPLAY_LIMIT: Type.Integer({ default: 200, minimum: 1, description: 'replays at once, 1 or more' }),
  LOG_LEVEL: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], { default: 'info', description: 'fatal, error, warn, info, debug, trace or silent' }),
  BODY_LIMIT: Type.Integer({ default: 8 * 1024 * 1024, minimum: 1024, description: 'bytes' }),
  FRAME_LIMIT: Type.Integer({ default: 1024 * 1024, minimum: 1024, description: 'bytes' }),
  NESTING_LIMIT: Type.Integer({ default: 32, minimum: 4, maximum: 64, description: 'objects and lists within each other in a body or message' }),
  ARRAY_LIMIT: Type.Integer({ default: 100_000, minimum: 1, description: 'items of a list in a body or message, 1 or more' }),
  STRING_LIMIT: Type.Integer({ default: 1024 * 1024, minimum: 1024, description: 'characters of a string in a body or message, 1024 or more' }),
  OPEN_SIGNUP: flag(false, 'true or false')
}, { additionalProperties: true })
type Environment = Static<typeof EnvironmentSchema>

/** Settings as the code uses them: defaults filled in, lists split, paths absolute. */
export interface Config {
  production: boolean
  port: number
  host: string
  /** True when only this machine can connect. */
  loopback: boolean
  publicUrl?: string
  tls?: { cert: string, key: string }
  trustProxy: boolean | number | string
  mongodbUri?: string
  dataDir: string
  embeddedMongoPort?: number
  apiKey?: string
  jwtSecret: string
  corsOrigins: string[]
  socketPath: string
  redisUrl?: string
  simulate: number
  dashboardAccess: 'public-read' | 'login'
  retentionDays: number
  /** At most `retentionDays`. */
  positionRetentionDays: number
  rateLimitMax: number
  rateLimitWindow: string
  ingestRateLimit: number
  /** Bytes of samples that may wait for the store. */
  ingestBuffer: number
  authFailureLimit: number
  loginAttemptLimit: number
  wsRateLimit: number
  wsUpgradeLimit: number
  wsConnectionLimit: number
  wsKeyConnectionLimit: number
  wsAddressConnectionLimit: number
  wsSubscriptionLimit: number
  wsReplayLimit: number
  replayLimit: number
  logLevel: string
  bodyLimit: number
  frameLimit: number
  /** Shape of what clients send: levels, items of a list, characters of a string. */
  inputLimits: InputLimits
  openSignup: boolean
}

/** A setting that stops the start; its message is the one line to print. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

/** Of blanks too: as a number they would be 0, which many settings take for no limit. */
const withoutEmpty = (source: NodeJS.ProcessEnv) =>
  Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined && value.trim() !== ''))

/**
 * Reads settings from the environment, then `.env` in `directory`; an empty variable
 * counts as unset. Makes `DATA_DIR` and the JWT secret when they are not there.
 * @throws ConfigError naming the variable, what was given and what is allowed
 */
export function loadConfig (env: NodeJS.ProcessEnv = process.env, directory = process.cwd()): Config {
  const file = join(directory, '.env')
  const fromFile = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {}
  const data = { ...withoutEmpty(fromFile as NodeJS.ProcessEnv), ...withoutEmpty(env) }
  let environment: Environment
  try {
    environment = envSchema<Environment>({ schema: EnvironmentSchema, data, env: false, dotenv: false })
  } catch (error) {
    throw new ConfigError(explainRejection(error, data))
  }
  return resolveConfig(environment, directory)
}

const secretNames = /KEY|SECRET|URI|REDIS_URL/

function explainRejection (error: unknown, data: Record<string, unknown>): string {
  const faults = (error as { errors?: { instancePath?: string, message?: string }[] }).errors ?? []
  const name = faults.map((fault) => fault.instancePath?.split('/')[1]).find(Boolean)
  if (!name) return error instanceof Error ? error.message : String(error)
  const schema = EnvironmentSchema.properties[name as keyof Environment] as { description?: string, minimum?: number, maximum?: number }
  const range = schema.minimum !== undefined && schema.maximum !== undefined ? `, ${schema.minimum} to ${schema.maximum}` : ''
  const given = secretNames.test(name) ? 'was given something else' : `was given "${String(data[name])}"`
  return `${name} ${given}; allowed: ${schema.description ?? 'see .env.example'}${range}`
}

function resolveConfig (environment: Environment, directory: string): Config {
  const production = environment.NODE_ENV === 'production'
  const host = environment.HOST ?? (production ? '0.0.0.0' : '127.0.0.1')
  const loopback = isLoopback(host)
  const dataDir = resolve(directory, environment.DATA_DIR)
  if (Boolean(environment.TLS_CERT) !== Boolean(environment.TLS_KEY)) {
    throw new ConfigError(`${environment.TLS_CERT ? 'TLS_KEY' : 'TLS_CERT'} is missing; allowed: TLS_CERT and TLS_KEY together, or neither`)
  }
  if (environment.PUBLIC_URL && !URL.canParse(environment.PUBLIC_URL)) {
    throw new ConfigError(`PUBLIC_URL was given "${environment.PUBLIC_URL}"; allowed: address users open, http:// or https://`)
  }
  const config: Config = {
    production,
    port: environment.PORT,
    host,
    loopback,
    trustProxy: parseTrustProxy(environment.TRUST_PROXY),
    dataDir,
    jwtSecret: environment.JWT_SECRET ?? ownSecret(dataDir, production && environment.MONGODB_URI !== undefined),
    corsOrigins: parseOrigins(environment.CORS_ORIGIN),
    socketPath: environment.SOCKET_PATH,
    simulate: environment.SIMULATE ?? (production || environment.MONGODB_URI ? 0 : 5),
    dashboardAccess: environment.DASHBOARD_ACCESS ?? (loopback && !production ? 'public-read' : 'login'),
    retentionDays: environment.RETENTION_DAYS,
    positionRetentionDays: Math.min(environment.POSITION_RETENTION_DAYS ?? Infinity, environment.RETENTION_DAYS),
    rateLimitMax: environment.RATE_LIMIT_MAX,
    rateLimitWindow: environment.RATE_LIMIT_WINDOW,
    ingestRateLimit: environment.INGEST_RATE_LIMIT,
    ingestBuffer: environment.INGEST_BUFFER,
    authFailureLimit: environment.AUTH_FAILURE_LIMIT,
    loginAttemptLimit: environment.LOGIN_ATTEMPT_LIMIT,
    wsRateLimit: environment.WS_RATE_LIMIT,
    wsUpgradeLimit: environment.WS_UPGRADE_LIMIT,
    wsConnectionLimit: environment.WS_CONNECTION_LIMIT,
    wsKeyConnectionLimit: environment.WS_KEY_CONNECTION_LIMIT,
    wsAddressConnectionLimit: environment.WS_ADDRESS_CONNECTION_LIMIT,
    wsSubscriptionLimit: environment.WS_SUBSCRIPTION_LIMIT,
    wsReplayLimit: environment.WS_REPLAY_LIMIT,
    replayLimit: environment.REPLAY_LIMIT,
    logLevel: environment.LOG_LEVEL,
    bodyLimit: environment.BODY_LIMIT,
    frameLimit: environment.FRAME_LIMIT,
    inputLimits: { depth: environment.NESTING_LIMIT, items: environment.ARRAY_LIMIT, characters: environment.STRING_LIMIT },
    openSignup: environment.OPEN_SIGNUP
  }
  if (environment.PUBLIC_URL) config.publicUrl = environment.PUBLIC_URL.replace(/\/+$/, '')
  if (environment.MONGODB_URI) config.mongodbUri = environment.MONGODB_URI
  if (environment.EMBEDDED_MONGO_PORT) config.embeddedMongoPort = environment.EMBEDDED_MONGO_PORT
  if (environment.API_KEY) config.apiKey = environment.API_KEY
  if (environment.REDIS_URL) config.redisUrl = environment.REDIS_URL
  if (environment.TLS_CERT && environment.TLS_KEY) {
    config.tls = readTls(resolve(directory, environment.TLS_CERT), resolve(directory, environment.TLS_KEY))
  }
  return config
}

const isLoopback = (host: string) => host === 'localhost' || host === '::1' || /^127\./.test(host)

function parseTrustProxy (value: string): boolean | number | string {
  if (value === 'true') return true
  if (value === 'false') return false
  if (/^\d+$/.test(value)) return Number(value)
  for (const part of value.split(',').map((part) => part.trim())) {
    const [address = '', length, ...rest] = part.split('/')
    const bits = isIP(address) === 4 ? 32 : 128
    const isNetwork = isIP(address) !== 0 && rest.length === 0 && (length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= bits))
    if (!isNetwork && !namedNetworks.has(part)) {
      throw new ConfigError(`TRUST_PROXY was given "${value}"; allowed: true, false, a number of proxies, or addresses such as 10.0.0.1, 10.0.0.0/8 and loopback, comma-separated`)
    }
  }
  return value
}

/** Names that Fastify's `trustProxy` knows. */
const namedNetworks = new Set(['loopback', 'linklocal', 'uniquelocal'])

function parseOrigins (value: string): string[] {
  return value.split(',').map((part) => part.trim().replace(/\/+$/, '')).filter(Boolean).map((origin) => {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new ConfigError(`CORS_ORIGIN was given "${origin}"; allowed: origins such as https://app.example, comma-separated`)
    }
    return origin
  })
}

/** A certificate and its key, tried before anything listens. */
function readTls (certPath: string, keyPath: string): { cert: string, key: string } {
  const cert = readPem('TLS_CERT', certPath)
  const key = readPem('TLS_KEY', keyPath)
  const attempt = (name: string, given: string, allowed: string, options: { cert?: string, key?: string }) => {
    try {
      createSecureContext(options)
    } catch (error) {
      throw new ConfigError(`${name} was given "${given}", which does not serve (${(error as Error).message}); allowed: ${allowed}`)
    }
  }
  attempt('TLS_CERT', certPath, 'the path of a PEM certificate', { cert })
  attempt('TLS_KEY', keyPath, 'the path of a PEM key without a passphrase', { key })
  attempt('TLS_KEY', keyPath, 'the key of the certificate in TLS_CERT', { cert, key })
  return { cert, key }
}

function readPem (name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new ConfigError(`${name} was given "${path}", which cannot be read; allowed: the path of a PEM file`)
  }
}

/** The JWT secret kept in the data folder, made at the first start. */
function ownSecret (dataDir: string, refused: boolean): string {
  if (refused) throw new ConfigError('JWT_SECRET is missing; allowed: at least 32 characters, required with NODE_ENV=production and MONGODB_URI')
  const path = join(dataDir, 'jwt-secret')
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    const kept = existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
    // Left empty by a crash of the machine right after the first start, it is made anew.
    if (kept) return kept
    const secret = randomBytes(48).toString('base64url')
    writeFileSync(path, secret + '\n', { mode: 0o600, flag: kept === undefined ? 'wx' : 'w' })
    return secret
  } catch (error) {
    throw new ConfigError(`DATA_DIR was given "${dataDir}", which cannot be used: ${(error as Error).message}`)
  }
}
