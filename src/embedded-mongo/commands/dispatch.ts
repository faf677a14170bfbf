import { Binary, Long } from 'bson'
import type { Authentication } from '../access/authentication.js'
import { optionalInteger, optionalTimestamp } from '../arguments.js'
import { toBytes } from '../bytes.js'
import type { Engine } from '../engine.js'
import { Interrupt } from '../interrupt.js'
import { CommandError, ErrorCodes, deserializeDocument, type Document } from '../semantics/index.js'
import { fromTimestamp, toTimestamp } from '../storage/cluster-time.js'
import type { Transaction } from '../sessions/transaction.js'
import { elementsOf, joinElements, rawArrayElement, rawDocumentElement } from '../wire/raw-document.js'
import { OP_QUERY, type Request } from '../wire/message.js'
import { assertAdmin } from './admin-only.js'
import { checkApiVersion } from './api-version.js'
import { readConcernOf, writeConcernError } from './concerns.js'
import type { CommandContext, Reply, ServerInfo } from './context.js'
import { assertKnownFields } from './known-fields.js'
import { commands } from './registry.js'
import { readSession } from './session-options.js'
import { storageError } from './storage-error.js'

export interface Call { engine: Engine, server: ServerInfo, connectionId: number, authentication: Authentication, request: Request, interrupts: Set<Interrupt> }

/** Runs one request and gives its reply as BSON; every failure becomes `ok: 0`. */
export async function runRequest (call: Call): Promise<Buffer> {
  let transaction: Transaction | undefined
  try {
    const body = deserializeDocument(call.request.body)
    const name = Object.keys(body)[0] ?? ''
    if (call.request.opCode === OP_QUERY) assertOpQuery(call.request, name)
    const handler = commands.get(name)
    if (handler === undefined) throw new CommandError(ErrorCodes.CommandNotFound, `no such command: '${name}'`)
    call.authentication.assertAllowed(name)
    checkApiVersion(name, body)
    assertKnownFields(name, body, call.request.sequences.keys())
    const concernError = writeConcernError(body)
    const context = makeContext(call, name, body)
    transaction = context.transaction
    call.interrupts.add(context.interrupt)
    const end = call.engine.operations.begin(context)
    try {
      const reply = await handler(context)
      if (transaction !== undefined && reply.fields.writeErrors !== undefined) endFailed(call.engine, transaction)
      if (concernError !== undefined) reply.fields.writeConcernError = concernError
      return encodeReply(context, reply)
    } finally {
      end()
      call.interrupts.delete(context.interrupt)
    }
  } catch (error) {
    if (transaction !== undefined) endFailed(call.engine, transaction)
    return encodeError(call, error, transaction !== undefined)
  }
}

/** The commands that may still come in the old message, which opens a connection. */
const IN_OP_QUERY = new Set(['hello', 'isMaster', 'ismaster', 'ping', 'buildInfo', 'buildinfo', 'saslStart', 'saslContinue'])

/** @throws CommandError 352, 5739101 as MongoDB since 5.1 */
function assertOpQuery ({ namespace = '' }: Request, name: string): void {
  const isCommand = namespace.endsWith('.$cmd')
  if (isCommand && IN_OP_QUERY.has(name)) return
  const advice = 'The client driver may require an upgrade.'
  throw isCommand
    ? new CommandError(ErrorCodes.UnsupportedOpQueryCommand, `Unsupported OP_QUERY command: ${name}. ${advice}`)
    : new CommandError(5739101, `OP_QUERY is no longer supported. ${advice}`)
}

function makeContext (call: Call, name: string, body: Document): CommandContext {
  const { request, engine } = call
  const db = body.$db ?? request.namespace?.split('.', 1)[0]
  if (typeof db !== 'string') throw new CommandError(40571, 'OP_MSG requests require a $db argument')
  assertAdmin(name, db)
  const maxTimeMS = name === 'getMore' ? undefined : optionalInteger(body, 'maxTimeMS')
  if (maxTimeMS !== undefined && maxTimeMS < 0) throw new CommandError(ErrorCodes.BadValue, `${maxTimeMS} value for maxTimeMS is out of range [0, 2147483647]`)
  const session = readSession(engine, name, body)
  return {
    engine,
    server: call.server,
    connectionId: call.connectionId,
    authentication: call.authentication,
    name,
    db,
    body,
    raw: request.body,
    sequences: request.sequences,
    ...session,
    snapshot: session.transaction === undefined ? readSnapshot(engine, name, body) : undefined,
    interrupt: new Interrupt(maxTimeMS)
  }
}

/** Commands that may read a snapshot outside transactions. */
const SNAPSHOT_READS = new Set(['find', 'aggregate', 'distinct'])
/** Commands about a cursor, which keeps to what it was opened on: drivers send them their session's read concern all the same. */
const ON_CURSOR = new Set(['getMore', 'killCursors'])

/**
 * Takes in what a read concern says: a cluster time the client has seen elsewhere moves the clock on, and level
 * snapshot reads one past state. Other levels are all met, since only what is flushed is ever seen.
 */
function readSnapshot (engine: Engine, name: string, body: Document): CommandContext['snapshot'] {
  const concern = readConcernOf(body)
  if (concern === undefined) return undefined
  const after = optionalTimestamp(concern, 'afterClusterTime')
  const time = after === undefined ? undefined : fromTimestamp(after)
  if (time !== undefined && time.seconds < Date.now() / 1000 + 60) engine.oplog.clock.advance(time)
  if (concern.level !== 'snapshot' || ON_CURSOR.has(name)) return undefined
  if (!SNAPSHOT_READS.has(name)) throw new CommandError(ErrorCodes.InvalidOptions, `read concern level snapshot is not supported for command ${name}`)
  const at = optionalTimestamp(concern, 'atClusterTime')
  return engine.snapshots.open(at === undefined ? undefined : fromTimestamp(at), engine.oplog.clock.now)
}

function endFailed (engine: Engine, transaction: Transaction): void {
  transaction.finish('aborted')
  engine.cursors.closeWhere(cursor => cursor.transaction === transaction)
}

/** What every reply ends with. The signature is a fixed one: clients only hand it back. */
function trailer (engine: Engine): Document {
  const time = toTimestamp(engine.oplog.clock.now)
  return {
    $clusterTime: { clusterTime: time, signature: { hash: new Binary(Buffer.alloc(20)), keyId: Long.ZERO } },
    operationTime: time
  }
}

function encodeReply ({ engine, snapshot }: CommandContext, { fields, cursor }: Reply): Buffer {
  const at = snapshot === undefined ? {} : { atClusterTime: toTimestamp(snapshot.time) }
  const rest = toBytes({ ...fields, ...(cursor === undefined ? at : {}), ok: 1, ...trailer(engine) })
  if (cursor === undefined) return rest
  const body = joinElements([rawArrayElement(cursor.field, cursor.documents), elementsOf(toBytes({ ...cursor.rest, ...at }))])
  return joinElements([rawDocumentElement('cursor', body), elementsOf(rest)])
}

function encodeError ({ engine }: Call, thrown: unknown, inTransaction: boolean): Buffer {
  const error = thrown instanceof CommandError ? thrown : storageError(engine, thrown)
  const labels = new Set(error.errorLabels)
  if (inTransaction && error.code === ErrorCodes.WriteConflict) labels.add('TransientTransactionError')
  return toBytes({
    ok: 0,
    errmsg: error.message,
    code: error.code,
    codeName: error.codeName,
    ...error.details,
    ...(labels.size === 0 ? {} : { errorLabels: [...labels] }),
    ...trailer(engine)
  })
}
