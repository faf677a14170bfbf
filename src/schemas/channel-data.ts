import { Type, type TSchema } from 'typebox'
import { ActivityEventSchema } from './activity.js'
import { AlertSchema } from './alert.js'
import { LiveValuesSchema } from './analytics.js'
import { CommandSchema } from './command.js'
import { ConnectionSchema } from './connection.js'
import { Device } from './device.js'
import { Event } from './event.js'
import { EngineIcon, Gear } from './gear.js'
import { BroadcastEnvelope, RelayEnvelope, TypeMessageDataEnvelope } from './messages/pushes.js'
import { StatusMessageSchema, VehicleStatusSchema } from './status.js'
import { SampleMessageSchema } from './telemetry.js'
import { VehicleDocumentSchema } from './vehicle.js'

/** `{action, id, document?}`: a document that was created, changed or deleted. */
export const EntityChange = <T extends TSchema>(document: T) => Type.Object({
  action: Type.Enum(['created', 'updated', 'deleted']),
  id: Type.String(),
  document: Type.Optional(document)
})

/** What a channel carries, and the state a new subscriber gets. */
export interface ChannelData { data: TSchema, snapshot?: TSchema }

const documents = (document: TSchema): ChannelData => ({ data: EntityChange(document), snapshot: Type.Array(document) })
const value = (data: TSchema): ChannelData => ({ data, snapshot: data })
const orNull = (schema: TSchema) => Type.Union([schema, Type.Null()])

/** Contents of every channel, by its name in the channel table. */
export const channelData: Readonly<Record<string, ChannelData>> = {
  events: documents(Event),
  devices: documents(Device),
  vehicles: documents(VehicleDocumentSchema),
  gear: value(Gear),
  engineIconColor: value(EngineIcon),
  status: { data: StatusMessageSchema, snapshot: Type.Array(VehicleStatusSchema) },
  'vehicle:': { data: SampleMessageSchema, snapshot: orNull(VehicleStatusSchema) },
  'replay:': { data: SampleMessageSchema },
  broadcast: { data: Type.Union([BroadcastEnvelope, RelayEnvelope, TypeMessageDataEnvelope]) },
  activity: { data: ActivityEventSchema },
  analytics: value(LiveValuesSchema),
  alerts: documents(AlertSchema),
  'commands:': documents(CommandSchema),
  connections: documents(ConnectionSchema),
  'app:': {
    data: Type.Unknown({ description: 'Whatever was published' }),
    snapshot: orNull(Type.Object({ cursor: Type.String(), ts: Type.String({ format: 'date-time' }), data: Type.Unknown() }))
  }
}
