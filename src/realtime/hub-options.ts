import type { PitwallError } from '../errors.js'
import type { Identity } from '../identity/identity.js'
import type { InputLimits } from '../json-input.js'
import type { Place } from './admission.js'
import type { Broker, ChannelSource } from './broker.js'
import type { Connection, Protocol } from './connection.js'
import type { OutboxLimits } from './outbox.js'
import type { ReplayLimits } from './replay/replay-places.js'
import type { RealtimeServices } from './services.js'

export interface Logger {
  info (details: object, message: string): void
  warn (details: object, message: string): void
  error (details: object, message: string): void
}

export interface HubOptions {
  broker: Broker
  /** Snapshot and stored past per channel, by full name or prefix. */
  sources: ReadonlyMap<string, ChannelSource>
  services: RealtimeServices
  logger: Logger
  /** Turns whatever a domain threw into an error that may be shown. */
  toError (error: unknown): PitwallError
  /** Messages a second one client may send; 0 for any number. */
  rateLimit: number
  /** Channels one client may be subscribed to. Default 1,000. */
  subscriptionLimit?: number
  /** Shape of messages; by default as the settings' defaults. */
  inputLimits?: InputLimits
  /** Connections a second that may come back after a drain; 0 for any number. Default 2,000. */
  reconnectRate?: number
  /** Replays there may be at once; by default as the settings' defaults. */
  replayLimits?: ReplayLimits
  /** Milliseconds between two pings. Default 12,000: a dead peer is gone within 24 s. */
  pingInterval?: number
  limits?: OutboxLimits
}

/** Who is at the other end, as the upgrade knew it. */
export interface Peer { identity: Identity, protocol: Protocol, address: string, userAgent: string, place?: Place | undefined }

/** What the socket's owner reports to the hub. */
export interface Attached {
  connection: Connection
  receive (text: string): void
  /** The client sent a frame that is not text. */
  receiveBinary (): void
  closed (code: number): void
}
