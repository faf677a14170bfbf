import { Type, type Static, type TSchema } from 'typebox'
import { Timestamp } from '../atoms.js'
import { CommandSchema } from '../command.js'
import { ConnectionSchema } from '../connection.js'

/** First on every connection. */
export const WelcomeMessage = Type.Object({
  type: Type.Literal('welcome'),
  sessionId: Type.String({ format: 'uuid' }),
  protocol: ConnectionSchema.properties.protocol,
  serverTime: Timestamp,
  pingInterval: Type.Integer({ minimum: 1, description: 'Milliseconds between two pings of the server' })
})
export type WelcomeMessage = Static<typeof WelcomeMessage>

/** The server shed messages of a channel for this client, which was too slow for them. */
export const DroppedMessage = Type.Object({
  type: Type.Literal('dropped'),
  channel: Type.String(),
  count: Type.Integer({ minimum: 1, description: 'Messages since the last receipt' })
})
export type DroppedMessage = Static<typeof DroppedMessage>

/** Comes before a planned close. */
export const ByeMessage = Type.Object({
  type: Type.Literal('bye'),
  reason: Type.String(),
  reconnectAfter: Type.Integer({ minimum: 0, description: 'Milliseconds' })
})
export type ByeMessage = Static<typeof ByeMessage>

/** A command to the vehicle that a plain client's key is bound to. It may come again until its end is reported. */
export const CommandMessage = Type.Object({
  type: Type.Literal('command'),
  command: Type.String({ description: 'Its id, by which a repeat is known' }),
  name: CommandSchema.properties.name,
  params: CommandSchema.properties.params,
  expiresAt: Timestamp
})
export type CommandMessage = Static<typeof CommandMessage>

const sender = {
  from: Type.String({ description: 'Session that sent it' }),
  ts: Type.String({ format: 'date-time', description: 'The server’s time' })
}

/** What a BROADCAST becomes. */
export const BroadcastEnvelope = Type.Object({
  type: Type.Literal('broadcast'),
  payload: Type.Object({ message: Type.Unknown() }, { additionalProperties: true }),
  ...sender
})
export type BroadcastEnvelope = Static<typeof BroadcastEnvelope>

/** What a `message` becomes. */
export const RelayEnvelope = Type.Object({ type: Type.Literal('message'), data: Type.Unknown(), ...sender })
export type RelayEnvelope = Static<typeof RelayEnvelope>

/** What a TMD becomes: all its fields, with sender and time. */
export const TypeMessageDataEnvelope = Type.Object({
  type: Type.String({ minLength: 1, maxLength: 128 }),
  message: Type.Optional(Type.String()),
  data: Type.Optional(Type.Unknown()),
  ...sender
}, { additionalProperties: true })
export type TypeMessageDataEnvelope = Static<typeof TypeMessageDataEnvelope>

/**
 * A message of a channel as its subscribers get it.
 * @param name the channel, or a prefix with its colon
 */
export const DataMessage = <T extends TSchema>(name: string, data: T) => Type.Object({
  type: Type.Literal('data'),
  channel: name.endsWith(':') ? Type.String({ pattern: `^${name}` }) : Type.Literal(name),
  cursor: Type.String({ pattern: '^c_' }),
  ts: Timestamp,
  data
})

/** A message of a channel as plain clients get it. */
export const PlainMessage = <T extends TSchema>(name: string, data: T) => Type.Object({ type: Type.Literal(name), data })
