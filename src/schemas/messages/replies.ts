import { Type, type Static, type TProperties } from 'typebox'
import { errorTable, type ErrorCode } from '../../errors.js'
import { scopes } from '../../identity/identity.js'
import { Timestamp } from '../atoms.js'
import { CommandSchema } from '../command.js'
import { BulkVerdict, FieldErrorSchema } from '../envelope.js'
import { Event } from '../event.js'
import { ReplayRangeSchema, ReplayStateSchema } from '../replay.js'
import { ChannelMessageSchema, MessageId } from './common.js'

/** An answer carries the id of what it answers, when that had one. */
const Reply = <T extends string, P extends TProperties>(type: T, properties: P) => Type.Object({
  type: Type.Literal(type),
  id: Type.Optional(MessageId),
  ...properties
})

const Cursor = Type.String({ pattern: '^c_', description: 'Opaque, ordered by arrival within its channel' })
const Channel = Type.String({ description: 'Full name' })

/** The event as it now is, or as it was when deleted. */
export const EventResponse = Reply('response', {
  payload: Type.Object({ action: Type.Enum(['CREATE', 'UPDATE', 'DELETE']), success: Type.Literal(true), data: Event })
})
export type EventResponse = Static<typeof EventResponse>

export const FetchResponse = Reply('response', {
  payload: Type.Object({
    action: Type.Literal('FETCH'),
    success: Type.Literal(true),
    data: Type.Array(Event),
    nextCursor: Type.Union([Type.String(), Type.Null()], { description: 'Where to go on; null on the last page' })
  })
})
export type FetchResponse = Static<typeof FetchResponse>

/** What was wrong with a message; the socket stays open. */
export const ErrorReply = Reply('error', {
  payload: Type.Object({
    code: Type.Enum(Object.keys(errorTable) as ErrorCode[]),
    message: Type.String(),
    errors: Type.Optional(Type.Array(FieldErrorSchema, { description: 'Fault by fault, each with a JSON pointer' })),
    retryAfter: Type.Optional(Type.Number({ description: 'Seconds after which to try again' }))
  })
})
export type ErrorReply = Static<typeof ErrorReply>

/** Without an id it answers nothing: messages were missed, and this is the state now. */
export const SubscribedReply = Reply('subscribed', {
  channel: Channel,
  cursor: Cursor,
  recovered: Type.Optional(Type.Boolean({ description: 'Answers since: true when everything after it follows, false when history does not reach back' })),
  snapshot: Type.Optional(Type.Unknown({ description: 'The state at the cursor, by channel as x-channels says; absent when recovered' })),
  replay: Type.Optional({ ...ReplayRangeSchema, description: 'Of replay: channels: what is played, and where it begins' })
})
export type SubscribedReply = Static<typeof SubscribedReply>

/** Without an id it answers nothing: the reason says why the subscription ended. */
export const UnsubscribedReply = Reply('unsubscribed', {
  channel: Channel,
  reason: Type.Optional(Type.String())
})
export type UnsubscribedReply = Static<typeof UnsubscribedReply>

export const PublishAck = Reply('ack', { cursor: Cursor })
export type PublishAck = Static<typeof PublishAck>

export const StatusAck = Reply('ack', BulkVerdict.properties)
export type StatusAck = Static<typeof StatusAck>

export const CommandAck = Reply('ack', { command: Type.String({ description: 'Its id' }), state: CommandSchema.properties.state })
export type CommandAck = Static<typeof CommandAck>

export const HistoryReply = Reply('history', {
  channel: Channel,
  messages: Type.Array(ChannelMessageSchema, { description: 'Oldest first' }),
  cursor: Type.String({ pattern: '^c_', description: 'Position after the last message: where to go on' })
})
export type HistoryReply = Static<typeof HistoryReply>

export const PresenceReply = Reply('presence', {
  channel: Channel,
  count: Type.Integer({ minimum: 0 }),
  members: Type.Array(Type.Object({ sessionId: Type.String(), name: Type.String({ description: 'Name of the key or person' }) }))
})
export type PresenceReply = Static<typeof PresenceReply>

/** Where a replay is. Without an id it answers nothing: the replay has ended. */
export const ReplayReply = Reply('replay', { channel: Channel, ...ReplayStateSchema.properties })
export type ReplayReply = Static<typeof ReplayReply>

export const AuthenticatedReply = Reply('authenticated', { scopes: Type.Array(Type.Enum([...scopes])) })
export type AuthenticatedReply = Static<typeof AuthenticatedReply>

export const PongReply = Reply('pong', { serverTime: Timestamp })
export type PongReply = Static<typeof PongReply>
