import { learnCadence } from './cadence.js'
import { isFields, readState, readText, readTime, readValues, type Fields } from './parse.js'
import type { Sample, Vehicle } from './types.js'

/** Everything known of all vehicles; the frame loop reads it, messages write it. */
export interface Fleet {
  readonly vehicles: Map<string, Vehicle>
  /** Grows with every change. */
  version: number
  /** True once the server has told what state the vehicles are in. */
  known: boolean
  /** True once it has told what they are called. */
  named: boolean
  /** In a few words the most urgent alert of each vehicle that has an open one, acknowledged or not. */
  alerts: ReadonlyMap<string, string>
}

export const createFleet = (): Fleet => ({ vehicles: new Map(), version: 0, known: false, named: false, alerts: new Map() })

export function ensureVehicle (fleet: Fleet, id: string): Vehicle {
  let vehicle = fleet.vehicles.get(id)
  if (!vehicle) {
    vehicle = { id, name: id, simulated: false, online: false, lastSeen: 0, cadence: 0, readings: new Map() }
    fleet.vehicles.set(id, vehicle)
  }
  return vehicle
}

/** Snapshot of the channel `status`: every vehicle's state now. A vehicle it does not name keeps what it had. */
export function applyStatusSnapshot (fleet: Fleet, snapshot: unknown): void {
  for (const item of listOf(snapshot)) {
    const id = readText(item.vehicle) ?? readText(item.id)
    if (id === undefined) continue
    const vehicle = ensureVehicle(fleet, id)
    vehicle.online = item.online === true
    if (typeof item.simulated === 'boolean') vehicle.simulated = item.simulated
    const lastSeen = readTime(item.lastSeen)
    if (Number.isFinite(lastSeen)) vehicle.lastSeen = Math.max(vehicle.lastSeen, lastSeen)
    for (const [name, reading] of readState(item.state)) {
      const known = vehicle.readings.get(name)
      if (!known || reading.ts > known.ts) vehicle.readings.set(name, reading)
    }
  }
  fleet.known = true
  fleet.version++
}

/** Message of the channel `status`: the signals that moved, or `online` when it came or went. */
export function applyStatusMessage (fleet: Fleet, message: unknown, now: number): void {
  if (!isFields(message)) return
  const id = readText(message.vehicle)
  const ts = readTime(message.ts)
  if (id === undefined || !Number.isFinite(ts)) return
  const vehicle = ensureVehicle(fleet, id)
  const values = readValues(message, ['vehicle', 'ts', 'online'])
  if (Object.keys(values).length > 0) applySample(fleet, vehicle, { ts, values }, now, message.online === undefined)
  if (typeof message.online === 'boolean') vehicle.online = message.online
  fleet.version++
}

/** Values as they come; per signal only a newer time moves the state. */
export function applySample (fleet: Fleet, vehicle: Vehicle, sample: Sample, now: number, isAlive = true): void {
  for (const [name, value] of Object.entries(sample.values)) {
    const known = vehicle.readings.get(name)
    if (!known) vehicle.readings.set(name, { value, ts: sample.ts, seen: now })
    else if (sample.ts >= known.ts) {
      known.value = value
      known.ts = sample.ts
      known.seen = now
    }
  }
  if (isAlive) {
    vehicle.online = true
    heard(vehicle, now)
  }
  fleet.version++
}

/** A sign of life. Messages within 20 ms are one: several channels tell of the same sample. */
function heard (vehicle: Vehicle, now: number): void {
  const interval = now - vehicle.lastSeen
  if (Math.abs(interval) < 20) return
  // Negative where the clock was set back.
  if (interval > 0 && vehicle.lastSeen > 0 && interval < 60_000) vehicle.cadence = learnCadence(vehicle.cadence, interval)
  vehicle.lastSeen = now
}

/** Snapshot or change of the entity channel `vehicles`: names, and what was removed. */
export function applyVehicleDocument (fleet: Fleet, document: unknown): void {
  if (!isFields(document)) return
  const id = readText(document.id)
  if (id === undefined) return
  const vehicle = ensureVehicle(fleet, id)
  vehicle.name = readText(document.name) || id
  if (typeof document.simulated === 'boolean') vehicle.simulated = document.simulated
  fleet.version++
}

export function removeVehicle (fleet: Fleet, id: string): void {
  fleet.vehicles.delete(id)
  fleet.version++
}

/** A snapshot's items: a list, or an object of documents by id. */
export function listOf (value: unknown): Fields[] {
  if (Array.isArray(value)) return value.filter(isFields)
  if (!isFields(value)) return []
  return Object.entries(value).flatMap(([id, item]) => isFields(item) ? [{ id, ...item }] : [])
}
