import { Type, type Static } from 'typebox'
import { SendTime, TimeInput } from '../atoms.js'
import { ReplaySpeed } from '../replay.js'
import { ChannelName, FilterInput, Message, Since } from './common.js'

export const SubscribeMessage = Message('subscribe', {
  channel: ChannelName,
  since: Type.Optional(Since),
  maxRate: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1000, description: 'Hz' })),
  filter: Type.Optional(FilterInput),
  from: Type.Optional({ ...TimeInput, description: 'Of a replay: where it begins, by default with the first sample stored' }),
  to: Type.Optional({ ...TimeInput, description: 'Of a replay: where it ends, exclusive; by default after the last sample stored' }),
  speed: Type.Optional({ ...ReplaySpeed, description: 'Of a replay: times as fast as it was. Default 1' }),
  paused: Type.Optional(Type.Boolean({ description: 'Of a replay: begin paused' })),
  sessions: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), {
    maxItems: 32, description: 'Session ids this client had before: what it relayed itself as message is not sent to it again'
  }))
})
export type SubscribeMessage = Static<typeof SubscribeMessage>

export const UnsubscribeMessage = Message('unsubscribe', { channel: ChannelName })
export type UnsubscribeMessage = Static<typeof UnsubscribeMessage>

export const PublishMessage = Message('publish', {
  channel: ChannelName,
  data: Type.Unknown(),
  key: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'The same key within 24 hours publishes once' }))
})
export type PublishMessage = Static<typeof PublishMessage>

/** `values` of one instant, or `samples`, judged one by one; `sentAt` is the send time of all without one. */
export const StatusMessage = Message('status', {
  vehicle: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  ts: Type.Optional(TimeInput),
  sentAt: Type.Optional(SendTime),
  values: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  samples: Type.Optional(Type.Array(Type.Unknown(), { minItems: 1, maxItems: 10_000 }))
})
export type StatusMessage = Static<typeof StatusMessage>

export const HistoryMessage = Message('history', {
  channel: ChannelName,
  since: Type.Optional(Since),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 }))
})
export type HistoryMessage = Static<typeof HistoryMessage>

export const PresenceMessage = Message('presence', { channel: ChannelName })
export type PresenceMessage = Static<typeof PresenceMessage>

const ReplayName = { ...ChannelName, description: 'replay:VEHICLE, subscribed to on this connection' }

/** Plays on from another time of the range. */
export const SeekMessage = Message('seek', { channel: ReplayName, to: TimeInput })
export type SeekMessage = Static<typeof SeekMessage>

export const PauseMessage = Message('pause', { channel: ReplayName })
export type PauseMessage = Static<typeof PauseMessage>

/** Plays on, or, while it plays, only at another speed. */
export const ResumeMessage = Message('resume', { channel: ReplayName, speed: Type.Optional(ReplaySpeed) })
export type ResumeMessage = Static<typeof ResumeMessage>

export const AuthMessage = Message('auth', { token: Type.String({ minLength: 1, maxLength: 4096 }) })
export type AuthMessage = Static<typeof AuthMessage>

export const PingMessage = Message('ping', {})
export type PingMessage = Static<typeof PingMessage>
