import { Type, type Static } from 'typebox'
import { Id, TimeInput, Timestamp, documentFields } from './atoms.js'
import { listQuery } from './envelope.js'

const Label = (description: string) => Type.String({ minLength: 1, maxLength: 128, description })
const Address = (description: string) => Type.String({ minLength: 1, maxLength: 2048, description })

/** Most activity events one request may carry. */
export const activityBatchLimit = 1000

const activityFields = {
  type: Type.String({ minLength: 1, maxLength: 128, description: 'What happened; `pageview` is what analytics counts as a pageview' }),
  user: Type.Optional(Label('Who did it')),
  session: Type.Optional(Type.String({ ...Id, description: 'The client\'s own session; without it activity is grouped by user' })),
  page: Type.Optional(Address('Path or address of the page')),
  device: Type.Optional(Label('Device or class of device')),
  country: Type.Optional(Label('Country, such as an ISO 3166-1 code')),
  referrer: Type.Optional(Address('Where the visitor came from'))
}

/** One activity event as a client sends it. */
export const ActivityInputSchema = Type.Object({
  id: Type.Optional(Type.String({ format: 'uuid', description: 'The client\'s UUID: the same id again is a duplicate and counts once' })),
  ...activityFields,
  ts: Type.Optional(TimeInput),
  data: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'Anything else, up to 16 KiB of JSON' }))
}, { additionalProperties: false })
export type ActivityInput = Static<typeof ActivityInputSchema>

/** Body of POST /api/activity: one event or a bare array of them. */
export const ActivityBodySchema = Type.Union([ActivityInputSchema, Type.Array(ActivityInputSchema, { maxItems: activityBatchLimit })])

/** One activity event as it leaves the server. */
export const ActivityEventSchema = Type.Object({
  ...documentFields,
  ...activityFields,
  ts: Timestamp,
  data: Type.Optional(Type.Record(Type.String(), Type.Unknown()))
})
export type ActivityEvent = Static<typeof ActivityEventSchema>

/** A session as it leaves the server. Absent fields were never named by its events. */
export const SessionSchema = Type.Object({
  ...documentFields,
  user: Type.Optional(Type.String()),
  start: Timestamp,
  end: Timestamp,
  duration: Type.Number({ description: 'seconds from the first event to the last' }),
  entryPage: Type.Optional(Type.String()),
  exitPage: Type.Optional(Type.String()),
  pageviews: Type.Integer(),
  events: Type.Integer({ description: 'all events, pageviews included' }),
  bounce: Type.Boolean({ description: 'one pageview and nothing else' }),
  device: Type.Optional(Type.String()),
  country: Type.Optional(Type.String()),
  referrer: Type.Optional(Type.String())
})
export type Session = Static<typeof SessionSchema>

export const ActivityListQuerySchema = Type.Object({
  ...listQuery(),
  sort: Type.Optional(Type.Enum(['ts', '-ts'], { description: 'Field to order by, descending with a leading -' })),
  type: Type.Optional(Type.String()),
  user: Type.Optional(Type.String()),
  session: Type.Optional(Type.String()),
  page: Type.Optional(Type.String()),
  device: Type.Optional(Type.String()),
  country: Type.Optional(Type.String())
}, { additionalProperties: false })

export type ActivityListQuery = Static<typeof ActivityListQuerySchema>

export const SessionListQuerySchema = Type.Object({
  ...listQuery(),
  sort: Type.Optional(Type.Enum(['start', '-start', 'end', '-end'], { description: 'Field to order by, descending with a leading -' })),
  user: Type.Optional(Type.String()),
  device: Type.Optional(Type.String()),
  country: Type.Optional(Type.String())
}, { additionalProperties: false })
export type SessionListQuery = Static<typeof SessionListQuerySchema>
