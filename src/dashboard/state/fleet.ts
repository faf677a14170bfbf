import { batch, signal, type Signal } from '@preact/signals'
import type { Client } from '../../client/index.js'
import { assess, compareVehicles, settle, type Condition, type Settled } from '../data/assess.js'
import { serverNow } from '../data/clock.js'
import {
  applyStatusMessage, applyStatusSnapshot, applyVehicleDocument, createFleet, listOf, removeVehicle
} from '../data/fleet.js'
import { formatAge, formatValue, withUnit } from '../data/format.js'
import { isFields, readText } from '../data/parse.js'
import { signalInfo } from '../data/signals.js'
import type { Vehicle } from '../data/types.js'
import { countMessage, watchSubscription } from './connection.js'
import { paused } from './view.js'

/** Sends a second the fleet list asks for: faster than it paints would be waste. */
const STATUS_RATE = 5
const PAINT_EVERY = 200
const SORT_EVERY = 1000

export const fleet = createFleet()

/** A vehicle's line in the list, as text; each part changes on its own. */
export interface FleetRow {
  id: string
  name: Signal<string>
  simulated: Signal<boolean>
  condition: Signal<Condition>
  reason: Signal<string>
  speed: Signal<string>
  battery: Signal<string>
  age: Signal<string>
  stale: Signal<boolean>
}

/** Rows worst first. */
export const rows = signal<FleetRow[]>([])
export const fleetKnown = signal(false)
export const counts = signal({ all: 0, moving: 0, attention: 0 })
/** While someone points at the list its order stands still. */
export const listHeld = { value: false }

const byId = new Map<string, FleetRow>()
const settled = new Map<string, Settled>()
let paintedAt = 0
let sortedAt = 0

export function followFleet (client: Client): void {
  const status = client.channel('status', { maxRate: STATUS_RATE })
  status.on('snapshot', ({ data }) => applyStatusSnapshot(fleet, data))
  status.on('message', ({ data }) => {
    countMessage()
    applyStatusMessage(fleet, data, serverNow())
  })
  watchSubscription(status)
  const vehicles = client.channel('vehicles')
  vehicles.on('snapshot', ({ data }) => {
    for (const item of listOf(data)) applyVehicleDocument(fleet, item)
    fleet.named = true
  })
  vehicles.on('message', ({ data }) => {
    countMessage()
    if (!isFields(data)) return
    const id = readText(data.id)
    if (data.action === 'deleted' && id !== undefined) removeVehicle(fleet, id)
    else applyVehicleDocument(fleet, data.document)
  })
  watchSubscription(vehicles)
}

/** Brings the rows up to date a few times a second, and their order once; a held view keeps its first. */
export function paintFleet (now: number): void {
  // Both, so that no name shows an id first.
  if (!fleet.known || !fleet.named) return
  if ((paused.peek() && fleetKnown.peek()) || now - paintedAt < PAINT_EVERY) return
  paintedAt = now
  batch(() => {
    for (const vehicle of fleet.vehicles.values()) paintRow(vehicle, now)
    const changed = fleet.vehicles.size !== byId.size || rows.peek().length !== byId.size
    if (changed || (!listHeld.value && now - sortedAt > SORT_EVERY)) sortRows(now)
    fleetKnown.value = true
  })
}

function paintRow (vehicle: Vehicle, now: number): void {
  const assessment = assess(vehicle, now, fleet.alerts.get(vehicle.id))
  const { age, stale } = assessment
  const shown = settle(settled.get(vehicle.id), assessment, now)
  settled.set(vehicle.id, shown)
  const { condition, reason } = shown
  const row = ensureRow(vehicle.id)
  row.name.value = vehicle.name
  row.simulated.value = vehicle.simulated
  row.condition.value = condition
  row.reason.value = reason
  row.stale.value = stale
  row.age.value = Number.isFinite(age) ? (stale || age > 2000 ? formatAge(age) : 'now') : ''
  row.speed.value = read(vehicle, 'speed')
  row.battery.value = read(vehicle, 'batteryPercentage')
}

function read (vehicle: Vehicle, name: string): string {
  const reading = vehicle.readings.get(name)
  const info = signalInfo(name)
  return reading ? withUnit(formatValue(info, reading.value), info.unit) : ''
}

function ensureRow (id: string): FleetRow {
  let row = byId.get(id)
  if (!row) {
    row = {
      id,
      name: signal(id),
      simulated: signal(false),
      condition: signal('never'),
      reason: signal(''),
      speed: signal(''),
      battery: signal(''),
      age: signal(''),
      stale: signal(false)
    }
    byId.set(id, row)
  }
  return row
}

function sortRows (now: number): void {
  sortedAt = now
  for (const id of byId.keys()) {
    if (fleet.vehicles.has(id)) continue
    byId.delete(id)
    settled.delete(id)
  }
  const sorted = [...byId.values()]
  const key = (row: FleetRow) => ({ condition: row.condition.peek(), name: row.name.peek(), id: row.id })
  sorted.sort((a, b) => compareVehicles(key(a), key(b)))
  const before = rows.peek()
  if (sorted.length !== before.length || sorted.some((row, index) => row !== before[index])) rows.value = sorted
  const conditions = sorted.map((row) => row.condition.peek())
  const next = {
    all: sorted.length,
    moving: conditions.filter((condition) => condition === 'moving').length,
    attention: conditions.filter((condition) => condition === 'critical' || condition === 'warning').length
  }
  const last = counts.peek()
  if (next.all !== last.all || next.moving !== last.moving || next.attention !== last.attention) counts.value = next
}
