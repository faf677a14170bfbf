import { PitwallError } from '../../errors.js'
import {
  BroadcastMessage, CommandResultMessage, CreateMessage, DeleteMessage, FetchMessage, RelayMessage, TypeMessageData, TypelessStatus, UpdateMessage
} from '../../schemas/messages/every-client.js'
import { isReservedType } from '../../schemas/reserved-types.js'
import type { Connection } from '../connection.js'
import type { Hub } from '../hub.js'
import { defineMessage, type Incoming, type MessageHandler } from './define-message.js'
import { reply } from './reply.js'

type Target = { except?: string, to?: string }

/** Hands an envelope to the clients of the channel `broadcast`, as it is, with sender and time. */
function relay (hub: Hub, connection: Connection, envelope: object, bytes: number, target: Target = {}): void {
  const ts = Date.now()
  const data = { ...envelope, from: connection.sessionId, ts: new Date(ts).toISOString() }
  hub.broker.publish({ channel: 'broadcast', data, ts, bytes, ...target })
}

const respond = (connection: Connection, message: { id?: string }, action: string, result: object) =>
  reply(connection, message, { type: 'response', payload: { action, success: true, ...result } })

const relayMessage = defineMessage(RelayMessage, 'publish', (hub, connection, { data, to }, bytes) => {
  if (to !== undefined && !hub.connections.get(to)?.transport.open) throw new PitwallError('NOT_FOUND', `There is no session ${JSON.stringify(to)}`)
  relay(hub, connection, { type: 'message', data }, bytes, to === undefined ? { except: connection.sessionId } : { to })
})

const typeMessageData = defineMessage(TypeMessageData, 'publish', (hub, connection, message, bytes) => {
  relay(hub, connection, message, bytes)
})

const typelessStatus = defineMessage(TypelessStatus, 'ingest', async (hub, connection, { id, ...status }) => {
  await hub.services.telemetry.ingestStatus(connection.identity, status)
})

const messages: Record<string, MessageHandler> = {
  CREATE: defineMessage(CreateMessage, 'events:write', async ({ services }, connection, message) => {
    respond(connection, message, 'CREATE', { data: await services.events.create(message.payload) })
  }),
  UPDATE: defineMessage(UpdateMessage, 'events:write', async ({ services }, connection, message) => {
    respond(connection, message, 'UPDATE', { data: await services.events.update(message.payload.id, message.payload.updateData) })
  }),
  DELETE: defineMessage(DeleteMessage, 'events:write', async ({ services }, connection, message) => {
    respond(connection, message, 'DELETE', { data: await services.events.remove(connection.identity, message.payload.id) })
  }),
  FETCH: defineMessage(FetchMessage, 'read', async ({ services }, connection, message) => {
    respond(connection, message, 'FETCH', await services.events.fetch(message.payload ?? {}))
  }),
  BROADCAST: defineMessage(BroadcastMessage, 'publish', (hub, connection, { payload }, bytes) => {
    relay(hub, connection, { type: 'broadcast', payload }, bytes)
  }),
  'command-result': defineMessage(CommandResultMessage, 'ingest', async ({ services }, connection, message) => {
    const { command, state, result } = message
    const { state: now } = await services.commands.report(connection.identity, command, { state, ...(result !== undefined && { result }) })
    reply(connection, message, { type: 'ack', command, state: now })
  })
}

/** All that every client may send, by type; those without a fixed type by what they are called. */
export const everyClientMessages: Readonly<Record<string, MessageHandler>> = {
  ...messages, message: relayMessage, 'any other type': typeMessageData, 'no type': typelessStatus
}

/** The handler of a message that every client may send. @throws UNKNOWN_TYPE, RESERVED_TYPE */
export function findHandler (message: Incoming): MessageHandler {
  const { type } = message
  if (type === undefined) return typelessStatus
  if (typeof type !== 'string' || type === '') throw new PitwallError('UNKNOWN_TYPE', 'type must be a string of 1 to 128 characters')
  const handler = Object.hasOwn(messages, type) ? messages[type] : undefined
  if (handler) return handler
  if (type === 'message') return message.message === undefined ? relayMessage : typeMessageData
  if (isReservedType(type)) throw new PitwallError('RESERVED_TYPE', `The type ${type} is reserved`)
  return typeMessageData
}
