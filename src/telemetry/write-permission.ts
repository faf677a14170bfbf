import { PitwallError } from '../errors.js'
import type { Identity } from '../identity/identity.js'

/** The vehicle a device is fitted to, as its document says. */
export type VehicleOfDevice = (device: string) => Promise<string | undefined>

/** The vehicle of statuses that name none, from credentials bound to none. */
export const DEFAULT_VEHICLE = 'default'

/**
 * The vehicle an identity's samples go to. A credential bound to a vehicle writes only
 * that one; one bound to a device only the device's vehicle, or the vehicle of the
 * device's own name when it has none.
 * @returns a promise only where a device has to be looked up: most samples need not wait
 * @throws FORBIDDEN for another one
 */
export function resolveVehicle (identity: Identity, asked: string | undefined, vehicleOfDevice: VehicleOfDevice): string | Promise<string> {
  const { vehicle, device } = identity
  if (vehicle === undefined && device !== undefined) return vehicleOfDevice(device).then((found) => allowed(asked, found ?? device))
  return vehicle === undefined ? asked ?? DEFAULT_VEHICLE : allowed(asked, vehicle)
}

function allowed (asked: string | undefined, bound: string): string {
  if (asked === undefined || asked === bound) return bound
  throw new PitwallError('FORBIDDEN', `This key may write only the vehicle ${bound}`)
}

/**
 * Where samples of an identity come from, for their unique key. Samples of an exported
 * history that came from several sources stay apart, but under the one who imports them.
 * @param part which of them, from 1
 */
export function sourceOf (identity: Identity, part = 1): string {
  const source = identity.device ?? identity.id
  // Of one width, so that they sort as numbers; no id has this sign.
  return part === 1 ? source : `${source}#${String(part).padStart(6, '0')}`
}

const REMEMBERED_FOR = 10_000
const MAX_REMEMBERED = 10_000

/** Remembers a device's vehicle for ten seconds, so that not every sample asks the store. */
export function rememberVehicles (find: VehicleOfDevice, now: () => number = Date.now): VehicleOfDevice {
  const known = new Map<string, { vehicle: string | undefined, until: number }>()
  return async (device) => {
    const remembered = known.get(device)
    if (remembered && remembered.until > now()) return remembered.vehicle
    const vehicle = await find(device)
    if (known.size >= MAX_REMEMBERED) known.clear()
    known.set(device, { vehicle, until: now() + REMEMBERED_FOR })
    return vehicle
  }
}
