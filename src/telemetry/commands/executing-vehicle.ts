import { PitwallError } from '../../errors.js'
import { hasScope, type Identity } from '../../identity/identity.js'
import type { VehicleOfDevice } from '../write-permission.js'

/**
 * The vehicle whose commands an identity executes: that of a key bound to one, or to a
 * device in one. Undefined for all others, who only watch.
 */
export async function executingVehicle ({ vehicle, device }: Identity, vehicleOfDevice: VehicleOfDevice): Promise<string | undefined> {
  return vehicle ?? (device === undefined ? undefined : await vehicleOfDevice(device) ?? device)
}

/**
 * Lets those pass who may read a vehicle's commands: holders of `operate`, and the keys
 * bound to that vehicle, whatever their scopes.
 * @throws FORBIDDEN
 */
export async function requireReader (identity: Identity, vehicle: string, vehicleOfDevice: VehicleOfDevice): Promise<void> {
  const own = await executingVehicle(identity, vehicleOfDevice)
  if (own !== undefined && own !== vehicle) throw new PitwallError('FORBIDDEN', `This key may read only the commands of ${own}`)
  if (own === undefined && !hasScope(identity, 'operate')) throw new PitwallError('FORBIDDEN', 'This needs the scope operate')
}

/** As `requireReader`, for reports of what became of a command. @throws FORBIDDEN */
export async function requireReporter (identity: Identity, vehicle: string, vehicleOfDevice: VehicleOfDevice): Promise<void> {
  const own = await executingVehicle(identity, vehicleOfDevice)
  if (own !== undefined && own !== vehicle) throw new PitwallError('FORBIDDEN', `This key may report only on commands of ${own}`)
}
