import { Type, type Static, type TProperties } from 'typebox'

/** Comes back on the reply. */
export const MessageId = Type.String({ maxLength: 128, description: 'Comes back on the reply' })

export const ChannelName = Type.String({ minLength: 1, maxLength: 140, description: 'Full name, e.g. events or vehicle:car-7' })

/** Cursor of the last message seen (`c_…`), or a time, inclusive: ISO 8601 or epoch milliseconds. */
export const Since = Type.Union([Type.String({ minLength: 1, maxLength: 512 }), Type.Number({ minimum: 0 })], {
  description: 'Cursor of the last message seen (c_…), or a time, inclusive: ISO 8601 or epoch milliseconds'
})

export const FilterInput = Type.Record(Type.String(), Type.Unknown(), {
  description: 'Equality and $eq $ne $gt $gte $lt $lte $in $nin $exists on plain fields'
})

/** A message with a fixed type, an optional id, and nothing that is not named. */
export const Message = <T extends string, P extends TProperties>(type: T, properties: P) => Type.Object({
  type: Type.Literal(type),
  id: Type.Optional(MessageId),
  ...properties
}, { additionalProperties: false })

/** One message of a channel, as it is pushed and as history returns it. */
export const ChannelMessageSchema = Type.Object({
  channel: Type.String(),
  cursor: Type.String(),
  ts: Type.String({ format: 'date-time' }),
  data: Type.Unknown()
})
export type ChannelMessageSchema = Static<typeof ChannelMessageSchema>
