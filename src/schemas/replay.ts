import { Type, type Static } from 'typebox'
import { Timestamp } from './atoms.js'

/** Times as fast as it was. */
export const ReplaySpeed = Type.Number({ minimum: 0.25, maximum: 16, description: 'Times as fast as it was' })

/** Where a replay is. */
export const ReplayStateSchema = Type.Object({
  cursor: Type.String({ pattern: '^c_', description: 'Where to go on from with since' }),
  state: Type.Enum(['playing', 'paused', 'ended']),
  position: { ...Timestamp, description: 'The time that is being played' },
  speed: ReplaySpeed
})
export type ReplayState = Static<typeof ReplayStateSchema>

const OrNull = Type.Union([Timestamp, Type.Null()])
const { cursor, ...state } = ReplayStateSchema.properties

/** What a subscriber of a replay is told at first. */
export const ReplayRangeSchema = Type.Object({
  from: { ...Timestamp, description: 'Beginning of the range, inclusive' },
  to: { ...Timestamp, description: 'Its end, exclusive' },
  first: { ...OrNull, description: 'Time of the first sample in it; null without one' },
  last: { ...OrNull, description: 'Time of the last' },
  ...state
})
export type ReplayRange = Static<typeof ReplayRangeSchema>
