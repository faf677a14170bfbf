import { Type } from 'typebox'

/** A document's identity: a client's name such as `car-7` or 24 hex digits. */
export const Id = Type.String({ minLength: 1, maxLength: 128, pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]*$', description: 'Identifier' })

export const IdParams = Type.Object({ id: Id }, { additionalProperties: false })

/** Times in responses: ISO 8601, UTC, milliseconds. */
export const Timestamp = Type.String({ format: 'date-time', description: 'ISO 8601, UTC' })

/** The last millisecond of the year 9999, after which a time has no four-digit year to be written with. */
export const LAST_TIME = 253_402_300_799_999

/** Times in requests: ISO 8601 with an offset, or epoch milliseconds. */
export const TimeInput = Type.Union([
  Type.String({ format: 'date-time' }),
  Type.Number({ minimum: 0, maximum: LAST_TIME })
], { description: 'ISO 8601, or epoch milliseconds' })

/** When a sensor sent something, by its own clock: the start of the latency that is measured. */
export const SendTime = Type.Union(TimeInput.anyOf, {
  description: 'When the sensor sent it: ISO 8601, or epoch milliseconds; latency is measured from then, and nothing else is done with it'
})

/** Name, label or title that a person reads. */
export const Name = Type.String({ minLength: 1, maxLength: 200 })

/** Fields that every stored document carries. */
export const documentFields = {
  id: Id,
  createdAt: Timestamp,
  updatedAt: Timestamp
}
