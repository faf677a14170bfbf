import { Type, type Static } from 'typebox'
import { scopes } from '../identity/identity.js'
import { documentFields, Name, Timestamp } from './atoms.js'
import { listQuery } from './envelope.js'

/** A WebSocket connection, live or closed not long ago. */
export const ConnectionSchema = Type.Object({
  ...documentFields,
  address: Type.String(),
  userAgent: Type.String(),
  keyName: Type.String({ description: 'Name of the key or person' }),
  protocol: Type.Enum(['plain', 'pitwall.v1', 'pitwall.v1+batch']),
  since: Timestamp,
  in: Type.Integer({ minimum: 0, description: 'Messages received from the client' }),
  out: Type.Integer({ minimum: 0, description: 'Messages sent to the client' }),
  connected: Type.Boolean(),
  label: Type.Optional(Name),
  disconnectedAt: Type.Optional(Timestamp),
  closeCode: Type.Optional(Type.Integer())
})
export type ConnectionSchema = Static<typeof ConnectionSchema>

export const ConnectionQuerySchema = Type.Object({
  ...listQuery(),
  sort: Type.Optional(Type.Enum(['-createdAt', 'createdAt'], { default: '-createdAt' })),
  connected: Type.Optional(Type.Boolean()),
  address: Type.Optional(Type.String({ maxLength: 100 })),
  keyName: Type.Optional(Name)
}, { additionalProperties: false })
export type ConnectionQuerySchema = Static<typeof ConnectionQuerySchema>

export const ConnectionChangeSchema = Type.Object({ label: Name }, { additionalProperties: false })
export type ConnectionChangeSchema = Static<typeof ConnectionChangeSchema>

export const TicketRequestSchema = Type.Object({
  scopes: Type.Optional(Type.Array(Type.Enum([...scopes]), { minItems: 1, uniqueItems: true, description: 'Your own by default' }))
}, { additionalProperties: false })
export type TicketRequestSchema = Static<typeof TicketRequestSchema>

/** To be offered once as a subprotocol in place of the key. */
export const TicketSchema = Type.Object({
  ticket: Type.String(),
  expiresIn: Type.Integer({ description: 'Seconds' })
})
export type TicketSchema = Static<typeof TicketSchema>
