import type { Connection } from 'mongoose'
import { apiKeyModel } from './api-key.js'
import { deviceModel } from './device.js'
import { engineIconModel } from './engine-icon.js'
import { eventModel } from './event.js'
import { gearModel } from './gear.js'
import { idempotencyRecordModel } from './idempotency-record.js'
import { sampleModel } from './sample.js'
import { vehicleModel } from './vehicle.js'
import { vehicleStateModel } from './vehicle-state.js'

/** All Mongoose models of one connection. Each file of this folder defines one. */
export function registerModels (connection: Connection) {
  return {
    connection,
    apiKeys: apiKeyModel(connection),
    devices: deviceModel(connection),
    engineIcon: engineIconModel(connection),
    events: eventModel(connection),
    gear: gearModel(connection),
    idempotencyRecords: idempotencyRecordModel(connection),
    vehicles: vehicleModel(connection),
    vehicleStates: vehicleStateModel(connection),
    samples: sampleModel(connection)
  }
}

export type Models = ReturnType<typeof registerModels>
