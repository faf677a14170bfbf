import { PitwallError } from '../errors.js'
import type { VehicleModel } from '../models/vehicle.js'

/** @throws NOT_FOUND without such a vehicle */
export async function requireVehicle (vehicles: VehicleModel, id: string): Promise<void> {
  if (!await vehicles.exists({ _id: id })) throw new PitwallError('NOT_FOUND', `There is no vehicle ${JSON.stringify(id)}`)
}
