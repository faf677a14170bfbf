import type { Identity } from '../identity/identity.js'
import type { Command, CommandReport } from '../schemas/command.js'
import type { BulkVerdict } from '../schemas/envelope.js'
import type { OpenPast } from './replay/past.js'

/**
 * What the socket dialects call: the domains, as plain functions. The real-time core
 * knows nothing of how they store. Every function throws PitwallError for bad input.
 */
export interface RealtimeServices {
  events: {
    create (fields: Record<string, unknown>): Promise<Record<string, unknown>>
    update (id: string, updateData: Record<string, unknown>): Promise<Record<string, unknown>>
    /** Removes an event; who did it is logged. */
    remove (identity: Identity, id: string): Promise<Record<string, unknown>>
    fetch (query: { filter?: Record<string, unknown>, limit?: number, cursor?: string }): Promise<{ data: Record<string, unknown>[], nextCursor: string | null }>
  }
  telemetry: {
    /** One status object as in POST /api/update-status: `{vehicle?, ts?, …signals}`. */
    ingestStatus (identity: Identity, status: Record<string, unknown>): Promise<{ vehicle: string, ts: string }>
    /** Samples of one vehicle, judged one by one; `sentAt` is the send time of those without one. */
    ingestSamples (identity: Identity, vehicle: string | undefined, samples: unknown[], sentAt?: string | number): Promise<BulkVerdict>
  }
  /** A range of a vehicle's stored samples, for a replay. */
  openPast: OpenPast
  commands: {
    /** What a device says became of a command. @returns the command as it is now */
    report (identity: Identity, command: string, report: CommandReport): Promise<Command>
    /** The vehicle whose commands an identity executes; undefined for one that only watches. */
    vehicleOf (identity: Identity): Promise<string | undefined>
    /** A vehicle's commands that have not ended, the oldest first. */
    listWaiting (vehicle: string): Promise<Command[]>
    /** Marks a command as sent; null when it must not be sent any more. */
    handOver (command: string): Promise<Command | null>
  }
  /**
   * Stores a message of an `app:` channel, publishes it and returns its cursor. The same
   * `key` from the same credential within 24 hours: the first one's cursor again.
   */
  publish (identity: Identity, message: { channel: string, data: unknown, key?: string, bytes?: number }): Promise<string>
  /**
   * Identity of a key, access token or ticket; null when unknown, revoked or expired.
   * @param address the client's, by which failures are counted
   * @throws TOO_MANY_REQUESTS after too many failures
   */
  authenticateToken (token: string, address: string): Promise<Identity | null>
}
