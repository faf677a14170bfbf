import { Type, type Static } from 'typebox'
import { scopes } from '../identity/identity.js'
import { ChannelMessageSchema, ChannelName } from './messages/common.js'

/** What a channel is, and who may do what with it. */
export const ChannelSchema = Type.Object({
  name: Type.String({ description: 'Full name, or a prefix with its colon' }),
  description: Type.String(),
  read: Type.Enum([...scopes, 'any'], { description: 'Scope that may subscribe; any for every credential' }),
  publish: Type.Union([Type.Enum([...scopes]), Type.Null()], { description: 'Scope that may publish; null when only the server does' }),
  durable: Type.Boolean({ description: 'Stored before it is acknowledged' }),
  history: Type.Object({
    length: Type.Integer({ description: 'Messages kept in memory' }),
    age: Type.Integer({ description: 'Milliseconds they are kept' })
  }),
  subscribers: Type.Integer({ minimum: 0, description: 'Connections on this node; for a prefix, on all its channels' })
})
export type ChannelSchema = Static<typeof ChannelSchema>

export const ChannelParamsSchema = Type.Object({ name: ChannelName }, { additionalProperties: false })

export const ChannelHistoryQuerySchema = Type.Object({
  since: Type.Optional(Type.String({ minLength: 1, maxLength: 512, description: 'Cursor (c_…), or a time, inclusive: ISO 8601 or epoch milliseconds' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 50 }))
}, { additionalProperties: false })
export type ChannelHistoryQuerySchema = Static<typeof ChannelHistoryQuerySchema>

export const PublishBodySchema = Type.Object({
  channel: ChannelName,
  data: Type.Unknown(),
  key: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'The same key within 24 hours publishes once' }))
}, { additionalProperties: false })
export type PublishBodySchema = Static<typeof PublishBodySchema>

export const PublishReplySchema = Type.Object({ cursor: Type.String() })
export type PublishReplySchema = Static<typeof PublishReplySchema>

export { ChannelMessageSchema }
