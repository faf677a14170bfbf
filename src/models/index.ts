import type { Connection } from 'mongoose'
import { apiKeyModel } from './api-key.js'
import { sampleModel } from './sample.js'
import { vehicleModel } from './vehicle.js'
import { vehicleStateModel } from './vehicle-state.js'

/** All Mongoose models of one connection. Each file of this folder defines one. */
export function registerModels (connection: Connection) {
  return {
    connection,
    apiKeys: apiKeyModel(connection),
    vehicles: vehicleModel(connection),
    vehicleStates: vehicleStateModel(connection),
    samples: sampleModel(connection)
  }
}

export type Models = ReturnType<typeof registerModels>
