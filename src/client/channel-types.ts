import type { Alert } from '../schemas/alert.js'
import type { ActivityEvent } from '../schemas/activity.js'
import type { Command } from '../schemas/command.js'
import type { ConnectionSchema } from '../schemas/connection.js'
import type { Device } from '../schemas/device.js'
import type { Event } from '../schemas/event.js'
import type { EngineIcon, Gear } from '../schemas/gear.js'
import type { StatusMessage } from '../schemas/status.js'
import type { SampleMessage } from '../schemas/telemetry.js'
import type { VehicleDocument } from '../schemas/vehicle.js'

/** A change of a document; one deleted has none. */
export interface EntityChange<T> { action: 'created' | 'updated' | 'deleted', id: string, document?: T }

/** What the messages of the server's own channels carry as `data`. */
export interface ChannelTypes {
  events: EntityChange<Event>
  devices: EntityChange<Device>
  vehicles: EntityChange<VehicleDocument>
  connections: EntityChange<ConnectionSchema>
  gear: Gear
  engineIconColor: EngineIcon
  status: StatusMessage
  activity: ActivityEvent
  alerts: EntityChange<Alert>
}

/** Channels whose data has a type of its own. */
export type TypedChannel = keyof ChannelTypes | `vehicle:${string}` | `replay:${string}` | `commands:${string}`

export type ChannelData<Name extends TypedChannel> = Name extends keyof ChannelTypes ? ChannelTypes[Name]
  : Name extends `commands:${string}` ? EntityChange<Command> : SampleMessage
