import { Int32, Long } from 'bson'
import { hostname, release, type } from 'node:os'
import { MECHANISM } from '../access/authentication.js'
import { isPlainDocument } from '../arguments.js'
import { CommandError, ErrorCodes, type Document } from '../semantics/index.js'
import { SESSION_TIMEOUT_MINUTES } from '../sessions/sessions.js'
import { MAX_MESSAGE_BYTES } from '../wire/message-reader.js'
import { MAX_DOCUMENT_BYTES } from '../writes/prepare-document.js'
import type { CommandContext, Handler } from './context.js'
import { MAX_WRITE_BATCH } from './write.js'

/** The MongoDB release whose behaviour is claimed, and its wire version. They must agree. */
export const VERSION = '8.0.0'
export const MAX_WIRE_VERSION = 25
/** A set of one: change streams and transactions need a replica set. */
export const SET_NAME = 'pitwall'

export const hello: Handler = context => {
  const isModern = context.name === 'hello'
  const { address } = context.server
  return {
    fields: {
      helloOk: true,
      [isModern ? 'isWritablePrimary' : 'ismaster']: true,
      setName: SET_NAME,
      setVersion: new Int32(1),
      secondary: false,
      hosts: [address],
      primary: address,
      me: address,
      maxBsonObjectSize: new Int32(MAX_DOCUMENT_BYTES),
      maxMessageSizeBytes: new Int32(MAX_MESSAGE_BYTES),
      maxWriteBatchSize: new Int32(MAX_WRITE_BATCH),
      localTime: new Date(),
      logicalSessionTimeoutMinutes: new Int32(SESSION_TIMEOUT_MINUTES),
      connectionId: new Int32(context.connectionId),
      minWireVersion: new Int32(0),
      maxWireVersion: new Int32(MAX_WIRE_VERSION),
      readOnly: false,
      ...authenticationFields(context)
    }
  }
}

/** How to log in, and the answer to a login that was begun with the handshake; if that fails, the client begins anew. */
function authenticationFields ({ authentication, body }: CommandContext): Document {
  const fields: Document = {}
  if (authentication.isRequired && body.saslSupportedMechs !== undefined) fields.saslSupportedMechs = [MECHANISM]
  if (!authentication.isRequired || !isPlainDocument(body.speculativeAuthenticate)) return fields
  try {
    fields.speculativeAuthenticate = authentication.start(body.speculativeAuthenticate)
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
  }
  return fields
}

export const ping: Handler = () => ({ fields: {} })

export const buildInfo: Handler = () => ({
  fields: {
    version: VERSION,
    gitVersion: 'pitwall-embedded',
    versionArray: [8, 0, 0, 0].map(part => new Int32(part)),
    modules: ['pitwall-embedded'],
    javascriptEngine: 'none',
    bits: new Int32(64),
    debug: false,
    maxBsonObjectSize: new Int32(MAX_DOCUMENT_BYTES),
    storageEngines: ['lmdb']
  }
})

export const hostInfo: Handler = () => ({ fields: { system: { currentTime: new Date(), hostname: hostname(), cpuAddrSize: new Int32(64) }, os: { type: type(), name: type(), version: release() }, extra: {} } })

export const serverStatus: Handler = ({ engine, server }) => ({
  fields: {
    host: server.address,
    version: VERSION,
    process: 'pitwall-embedded',
    pid: Long.fromNumber(process.pid),
    uptime: (Date.now() - engine.startedAt) / 1000,
    uptimeMillis: Long.fromNumber(Date.now() - engine.startedAt),
    localTime: new Date(),
    repl: { setName: SET_NAME, isWritablePrimary: true, secondary: false, hosts: [server.address], me: server.address, primary: server.address },
    storageEngine: { name: 'lmdb', supportsCommittedReads: true, persistent: true, readOnly: false },
    ...engine.operations.status(),
    mem: { bits: new Int32(64), resident: new Int32(Math.round(process.memoryUsage.rss() / 1048576)), supported: true },
    metrics: { cursor: { open: { total: new Int32(engine.cursors.size) } } }
  }
})

export const connectionStatus: Handler = ({ authentication: { user } }) => ({
  fields: {
    authInfo: {
      authenticatedUsers: user === undefined ? [] : [{ user, db: 'admin' }],
      authenticatedUserRoles: user === undefined ? [] : [{ role: 'root', db: 'admin' }]
    }
  }
})

export const whatsMyUri: Handler = ({ connectionId }) => ({ fields: { you: `connection ${connectionId}` } })

export const getCmdLineOpts: Handler = () => ({ fields: { argv: ['pitwall-embedded'], parsed: {} } })

const PARAMETERS: Document = {
  featureCompatibilityVersion: { version: '8.0' },
  transactionLifetimeLimitSeconds: new Int32(60),
  ttlMonitorEnabled: true,
  notablescan: false
}

export const getParameter: Handler = ({ body }) => {
  const all = body.getParameter === '*'
  const found = Object.fromEntries(Object.entries(PARAMETERS).filter(([name]) => all || body[name] !== undefined))
  if (Object.keys(found).length === 0) throw new CommandError(ErrorCodes.InvalidOptions, 'no option found to get')
  return { fields: found }
}

export const getLog: Handler = ({ body }) => {
  if (body.getLog === '*') return { fields: { names: ['global', 'startupWarnings'] } }
  if (body.getLog !== 'global' && body.getLog !== 'startupWarnings') throw new CommandError(ErrorCodes.OperationFailed, `No log named '${String(body.getLog)}'`)
  return { fields: { totalLinesWritten: new Int32(0), log: [] } }
}

export const replSetGetStatus: Handler = (context: CommandContext) => ({
  fields: {
    set: SET_NAME,
    date: new Date(),
    myState: new Int32(1),
    members: [{ _id: new Int32(0), name: context.server.address, health: 1, state: new Int32(1), stateStr: 'PRIMARY', self: true }]
  }
})
