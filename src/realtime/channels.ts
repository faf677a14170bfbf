import { PitwallError } from '../errors.js'
import { hasScope, type Identity, type Scope } from '../identity/identity.js'
import { visitorMayRead } from '../identity/visitor.js'
import { latestDocument, latestSignals, latestValues, onlyLatest, type Conflation } from './conflation.js'

/** How much of a channel's past the broker keeps in memory. */
export interface HistoryBounds {
  /** Messages. 0 keeps none. */
  length: number
  /** Milliseconds. */
  age: number
  /** Bytes, as far as sizes are known. */
  bytes: number
  /** Kept from when somebody first asks, for as long as somebody does within `age`: the store has the past of channels that nobody follows. */
  onDemand?: true
}

/** What the server knows about one channel, or about all of a prefix. */
export interface ChannelRule {
  /** Full name, or prefix with its colon. */
  name: string
  /** Scope that may subscribe; `any` for every credential. */
  read: Scope | 'any'
  /** Scope that may publish; null when only the server does. */
  publish: Scope | null
  /** True when a message is stored before it is acknowledged. */
  durable: boolean
  /** Folds messages into the latest; without one, messages are shed whole. */
  conflation: Conflation | null
  /** Keys bound to a vehicle, or to a device in it, may read that vehicle's, whatever their scopes. */
  ownVehicle?: true
  /** Never shed: what a person must not miss. */
  neverShed?: boolean
  history: HistoryBounds
  /** What plain clients get: nothing, `{type: channel, data}`, or the data as it is. */
  plain: 'none' | 'typed' | 'envelope'
  description: string
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const MIB = 1024 * 1024
const none: HistoryBounds = { length: 0, age: 0, bytes: 0 }
const ring = (length: number, age: number, bytes = 8 * MIB): HistoryBounds => ({ length, age, bytes })

const server = { read: 'read', publish: null, durable: true, plain: 'none' } as const

/** Every channel there is. A name that matches no row is UNKNOWN_CHANNEL. */
export const channelTable: readonly ChannelRule[] = [
  { ...server, name: 'events', conflation: latestDocument, history: ring(10_000, DAY), plain: 'typed', description: 'Events as they are created, changed and deleted' },
  { ...server, name: 'devices', conflation: latestDocument, history: ring(1000, DAY), description: 'Devices as they change' },
  { ...server, name: 'vehicles', conflation: latestDocument, history: ring(1000, DAY), description: 'Vehicles as they change, without their state' },
  { ...server, name: 'gear', conflation: onlyLatest, history: ring(1000, DAY), plain: 'typed', description: 'The current gear' },
  { ...server, name: 'engineIconColor', conflation: onlyLatest, history: ring(1000, DAY), plain: 'typed', description: 'The engine icon’s colour' },
  { ...server, name: 'status', durable: false, conflation: latestSignals, history: none, plain: 'typed', description: 'Signals of all vehicles as they change' },
  { ...server, name: 'vehicle:', conflation: latestValues, history: { ...ring(1000, HOUR, MIB), onDemand: true }, description: 'Every sample of one vehicle' },
  { ...server, name: 'replay:', conflation: null, history: none, description: 'The stored past of one vehicle, in its own time' },
  { ...server, name: 'broadcast', read: 'any', durable: false, conflation: null, history: ring(1000, HOUR, 16 * MIB), plain: 'envelope', description: 'BROADCAST, message and TMD envelopes' },
  { ...server, name: 'activity', conflation: null, history: ring(1000, DAY), description: 'Activity events' },
  { ...server, name: 'analytics', durable: false, conflation: onlyLatest, history: none, description: 'Visitors and page views of now' },
  { ...server, name: 'alerts', conflation: latestDocument, neverShed: true, history: ring(1000, 7 * DAY), plain: 'typed', description: 'Alerts as they open, change and close' },
  { ...server, name: 'commands:', read: 'operate', ownVehicle: true, conflation: latestDocument, neverShed: true, history: ring(200, HOUR, MIB), description: 'Commands to one vehicle, from giving them to their end' },
  { ...server, name: 'connections', read: 'admin', durable: false, conflation: latestDocument, history: none, description: 'Sockets as they open, change and close' },
  { ...server, name: 'app:', read: 'any', publish: 'publish', conflation: null, history: ring(1000, DAY), description: 'Messages of your own, stored' }
]

const byName = new Map(channelTable.map((rule) => [rule.name, rule]))
const member = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/

/** The rule of a channel by its full name, e.g. `vehicle:car-7`; undefined for an unknown one. */
export function findChannel (channel: string): ChannelRule | undefined {
  const colon = channel.indexOf(':')
  if (colon === -1) return byName.get(channel)
  const rule = byName.get(channel.slice(0, colon + 1))
  return rule && member.test(channel.slice(colon + 1)) ? rule : undefined
}

/** @throws UNKNOWN_CHANNEL */
export function channelRule (channel: string): ChannelRule {
  const rule = findChannel(channel)
  if (!rule) throw new PitwallError('UNKNOWN_CHANNEL', `There is no channel ${JSON.stringify(channel.slice(0, 140))}`)
  return rule
}

/**
 * True if the identity may subscribe to the channel and read its history.
 * @param channel full name
 * @param vehicle the one that a bound key is of, where that had to be looked up
 */
export function mayRead (identity: Identity, rule: ChannelRule, channel = rule.name, vehicle = identity.vehicle): boolean {
  if (identity.kind === 'visitor' && !visitorMayRead(rule.name)) return false
  if (isBound(identity)) return rule.ownVehicle === true && vehicle !== undefined && channel === rule.name + vehicle
  return rule.read === 'any' || hasScope(identity, rule.read)
}

/** True for a key of one vehicle or device: it writes that one's measurements and reads its commands, whatever its scopes. */
export const isBound = ({ vehicle, device }: Identity): boolean => vehicle !== undefined || device !== undefined

/** Why an identity may not read a channel, as it is told. */
export function refuseReading (identity: Identity, rule: ChannelRule, channel: string): string {
  if (identity.kind === 'visitor') return `Visitors may not read ${channel}; sign in`
  return isBound(identity) ? `A key bound to a vehicle or device may not read ${channel}` : `Reading ${channel} needs the scope ${rule.read}`
}

/** True if the identity may publish on the channel. */
export const mayPublish = (identity: Identity, rule: ChannelRule): boolean =>
  rule.publish !== null && !isBound(identity) && hasScope(identity, rule.publish)

/** A channel's name in the table: its prefix with the colon, or all of it. */
export const tableName = (channel: string): string => channel.slice(0, channel.indexOf(':') + 1) || channel

/** How much of a channel's past is kept in memory; none of an unknown one. */
export const historyOf = (channel: string): HistoryBounds => byName.get(tableName(channel))?.history ?? none
