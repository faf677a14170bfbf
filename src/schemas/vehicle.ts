import { Type, type Static } from 'typebox'
import { documentFields, Id, Name, Timestamp } from './atoms.js'
import { listQuery } from './envelope.js'
import { StateSchema } from './status.js'

/** Body that adds a vehicle; without `id` it gets one. */
export const VehicleInputSchema = Type.Object({
  id: Type.Optional(Id),
  name: Type.Optional(Name),
  simulated: Type.Optional(Type.Boolean({ description: 'Kept a day, and removed with all others so marked; false by default' }))
}, { additionalProperties: false })
export type VehicleInput = Static<typeof VehicleInputSchema>

/** Body that changes a vehicle. */
export const VehiclePatchSchema = Type.Object({ name: Name }, { additionalProperties: false })
export type VehiclePatch = Static<typeof VehiclePatchSchema>

/** A vehicle as documents of the channel `vehicles` carry it. */
export const VehicleDocumentSchema = Type.Object({
  ...documentFields,
  name: Name,
  simulated: Type.Boolean()
})
export type VehicleDocument = Static<typeof VehicleDocumentSchema>

/** A vehicle with its latest state. */
export const VehicleSchema = Type.Object({
  ...documentFields,
  name: Name,
  simulated: Type.Boolean(),
  online: Type.Boolean({ description: 'False after three times its usual pause, at least 5 s, without a sample' }),
  lastSeen: Type.Union([Timestamp, Type.Null()]),
  state: StateSchema
})
export type Vehicle = Static<typeof VehicleSchema>

/** Query of the vehicles' list. */
export const VehicleQuerySchema = Type.Object({
  ...listQuery(),
  name: Type.Optional(Name),
  simulated: Type.Optional(Type.Boolean())
}, { additionalProperties: false })
export type VehicleQuery = Static<typeof VehicleQuerySchema>
