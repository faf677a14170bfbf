import { Type, type Static } from 'typebox'
import { documentFields, Id, Name } from './atoms.js'
import { listQuery } from './envelope.js'

const fields = {
  name: Name,
  type: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'What it is, such as gps' })),
  vehicle: Type.Optional(Id)
}

/** A device as clients see it. */
export const Device = Type.Object({ ...documentFields, ...fields })
export type Device = Static<typeof Device>

/** A new device; without `id` the server names it. */
export const DeviceCreation = Type.Object({ id: Type.Optional(Id), ...fields }, { additionalProperties: false })
export type DeviceCreation = Static<typeof DeviceCreation>

/** All fields of a device. */
export const DeviceReplacement = Type.Object(fields, { additionalProperties: false })
export type DeviceReplacement = Static<typeof DeviceReplacement>

/** Fields to change; null removes `type` and `vehicle`. */
export const DeviceChange = Type.Object({
  name: Type.Optional(Name),
  type: Type.Optional(Type.Union([fields.type, Type.Null()])),
  vehicle: Type.Optional(Type.Union([Id, Type.Null()]))
}, { additionalProperties: false, minProperties: 1 })
export type DeviceChange = Static<typeof DeviceChange>

export const DeviceListQuery = Type.Object({
  ...listQuery(),
  name: Type.Optional(Name),
  type: Type.Optional(Type.String({ maxLength: 100 })),
  vehicle: Type.Optional(Id)
}, { additionalProperties: false })
export type DeviceListQuery = Static<typeof DeviceListQuery>
