import { PitwallError } from '../../errors.js'
import {
  AuthMessage, HistoryMessage, PauseMessage, PingMessage, PresenceMessage, PublishMessage, ResumeMessage, SeekMessage, StatusMessage, SubscribeMessage,
  UnsubscribeMessage
} from '../../schemas/messages/pitwall-v1.js'
import { channelRule, isBound, mayRead, refuseReading, type ChannelRule } from '../channels.js'
import type { Connection } from '../connection.js'
import type { Hub } from '../hub.js'
import { publishMessage } from '../publish.js'
import { readHistory } from '../read-history.js'
import type { Replay } from '../replay/replay.js'
import { checkReplayFields, REPLAY, replayOf, subscribeReplay } from '../replay/subscribe-replay.js'
import { subscribeChannel } from '../subscribe-channel.js'
import { defineMessage, type Handler, type MessageHandler } from './define-message.js'
import { findHandler } from './every-client.js'
import { reply } from './reply.js'

/**
 * Does something with a channel that the client may read. At once, so that messages keep
 * their order; only which vehicle a device is in has to be looked up.
 * @throws UNKNOWN_CHANNEL, FORBIDDEN
 */
function whenReadable (hub: Hub, { identity }: Connection, channel: string, act: (rule: ChannelRule) => Promise<void> | void): Promise<void> | void {
  const rule = channelRule(channel)
  const proceed = (vehicle?: string) => {
    if (!mayRead(identity, rule, channel, vehicle)) throw new PitwallError('FORBIDDEN', refuseReading(identity, rule, channel))
    return act(rule)
  }
  if (!rule.ownVehicle || identity.device === undefined) return proceed()
  return hub.services.commands.vehicleOf(identity).then(proceed)
}

/** Does something with a replay of the connection, and answers with where it is then. */
function steer (hub: Hub, connection: Connection, message: { id?: string, channel: string }, act: (replay: Replay) => void): Promise<void> | void {
  return whenReadable(hub, connection, message.channel, async () => {
    const replay = replayOf(connection, message.channel)
    await replay.beginning
    act(replay)
    reply(connection, message, { type: 'replay', channel: message.channel, ...replay.describe() })
  })
}

/** What `pitwall.v1` adds to what every client may send, by type. */
export const pitwallV1Messages: Readonly<Record<string, MessageHandler>> = {
  subscribe: defineMessage(SubscribeMessage, 'any', (hub, connection, message) =>
    whenReadable(hub, connection, message.channel, async (rule) => {
      checkReplayFields(message)
      if (rule.name === REPLAY) return await subscribeReplay(hub, connection, rule, message)
      await subscribeChannel(hub, connection, rule, message)
      hub.deviceCommands.subscribed(connection, message.channel)
    })),

  unsubscribe: defineMessage(UnsubscribeMessage, 'any', (hub, connection, message) => {
    channelRule(message.channel)
    hub.unsubscribe(connection, message.channel)
    reply(connection, message, { type: 'unsubscribed', channel: message.channel })
  }),

  publish: defineMessage(PublishMessage, 'any', async (hub, connection, message, bytes) => {
    const { channel, data, key } = message
    const cursor = await publishMessage(hub.services, connection.identity, { channel, data, bytes, ...(key !== undefined && { key }) })
    reply(connection, message, { type: 'ack', cursor })
  }),

  status: defineMessage(StatusMessage, 'ingest', async (hub, connection, message) => {
    const { vehicle, ts, sentAt, values, samples } = message
    if ((values === undefined) === (samples === undefined)) throw new PitwallError('VALIDATION_FAILED', 'Give either values or samples')
    if (samples && ts !== undefined) throw new PitwallError('VALIDATION_FAILED', 'Each of the samples has a ts of its own', { errors: [{ path: '/ts', message: 'belongs to values' }] })
    const verdict = await hub.services.telemetry.ingestSamples(connection.identity, vehicle, samples ?? [{ ts, values }], sentAt)
    reply(connection, message, { type: 'ack', ...verdict })
  }),

  history: defineMessage(HistoryMessage, 'any', (hub, connection, message) =>
    whenReadable(hub, connection, message.channel, async () => {
      const { channel, since, limit } = message
      const { messages, cursor } = await readHistory(hub, channel, { since, limit })
      reply(connection, message, { type: 'history', channel, messages, cursor })
    })),

  presence: defineMessage(PresenceMessage, 'any', (hub, connection, message) =>
    whenReadable(hub, connection, message.channel, () => {
      if (connection.identity.kind === 'visitor') throw new PitwallError('FORBIDDEN', 'Visitors may not see who is there; sign in')
      if (isBound(connection.identity)) throw new PitwallError('FORBIDDEN', 'A key bound to a vehicle or device may not see who is there')
      const members = hub.subscribersOf(message.channel).map(({ sessionId, identity }) => ({ sessionId, name: identity.name }))
      reply(connection, message, { type: 'presence', channel: message.channel, count: members.length, members })
    })),

  seek: defineMessage(SeekMessage, 'any', (hub, connection, message) =>
    steer(hub, connection, message, (replay) => { replay.seek(typeof message.to === 'number' ? Math.floor(message.to) : Date.parse(message.to)) })),

  pause: defineMessage(PauseMessage, 'any', (hub, connection, message) =>
    steer(hub, connection, message, (replay) => { replay.pause() })),

  resume: defineMessage(ResumeMessage, 'any', (hub, connection, message) =>
    steer(hub, connection, message, (replay) => { replay.resume(message.speed) })),

  auth: defineMessage(AuthMessage, 'any', async (hub, connection, message) => {
    const identity = await hub.services.authenticateToken(message.token, connection.address)
    if (!identity) throw new PitwallError('INVALID_CREDENTIALS', 'The token is unknown, revoked or expired')
    await hub.reauthenticate(connection, identity)
    reply(connection, message, { type: 'authenticated', scopes: [...identity.scopes] })
  }),

  ping: defineMessage(PingMessage, 'any', (_hub, connection, message) => {
    reply(connection, message, { type: 'pong', serverTime: new Date().toISOString() })
  })
}

/** Clients that chose what they get. */
export const handlePitwallV1: Handler = (hub, connection, message, bytes) => {
  const { type } = message
  const handler = typeof type === 'string' && Object.hasOwn(pitwallV1Messages, type) ? pitwallV1Messages[type] : undefined
  return (handler ?? findHandler(message))(hub, connection, message, bytes)
}
