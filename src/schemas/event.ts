import { Type, type Static } from 'typebox'
import { documentFields } from './atoms.js'
import { listQuery } from './envelope.js'

/** The client's own fields. Which names and sizes are refused: checkFields in src/entities/field-rules.ts. */
export const EventFields = Type.Record(Type.String(), Type.Unknown(), {
  description: 'Fields of your own. id, _id, createdAt, updatedAt, names with a dot or a leading $, __proto__, constructor and prototype are refused.',
  examples: [{ type: 'pit-stop', car: 'car-7', seconds: 2.4 }]
})
export type EventFields = Static<typeof EventFields>

/** An event as clients see it. */
export const Event = Type.Object(documentFields, { additionalProperties: true, description: 'The fields it was given, with id and times' })
export type Event = Static<typeof Event> & Record<string, unknown>

export const EventListQuery = Type.Object({
  ...listQuery(500),
  type: Type.Optional(Type.String({ maxLength: 1024, description: 'Only events of this type' })),
  filter: Type.Optional(Type.String({ maxLength: 16_384, description: 'A filter as FETCH takes it, as JSON' }))
}, { additionalProperties: false })
export type EventListQuery = Static<typeof EventListQuery>
