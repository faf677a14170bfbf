import { PitwallError } from '../../errors.js'
import { waitingStates, type CommandState } from '../../schemas/command.js'
import { parseTime } from '../sample-input.js'

const HOUR = 60 * 60 * 1000
/** Milliseconds a command waits when nothing else is said, and at most. */
export const DEFAULT_LIFETIME = 24 * HOUR
export const MAX_LIFETIME = 30 * 24 * HOUR
/** Bytes of params and of a result, as JSON. */
export const MAX_COMMAND_BYTES = 16 * 1024
/** Commands that may wait for one vehicle. */
export const MAX_WAITING = 100

/** The states that each may follow. */
export const predecessors: Readonly<Record<Exclude<CommandState, 'pending'>, readonly CommandState[]>> = {
  sent: ['pending'],
  delivered: ['pending', 'sent'],
  done: waitingStates,
  failed: waitingStates,
  expired: waitingStates,
  cancelled: ['pending']
}

/**
 * When a command ends, in epoch milliseconds.
 * @param given ISO 8601 or epoch milliseconds; in 24 hours when undefined
 * @throws VALIDATION_FAILED unless it is to come, within 30 days
 */
export function parseExpiry (given: unknown, now: number): number {
  if (given === undefined) return now + DEFAULT_LIFETIME
  const expiresAt = parseTime(given, 'expiresAt')
  if (expiresAt > now && expiresAt <= now + MAX_LIFETIME) return expiresAt
  throw new PitwallError('VALIDATION_FAILED', 'expiresAt must be in the future, at most 30 days ahead', {
    errors: [{ path: '/expiresAt', message: `must be after ${new Date(now).toISOString()} and at most 30 days ahead` }]
  })
}

/** A value as bounded JSON. @throws VALIDATION_FAILED naming the field */
export function encodeBounded (value: unknown, field: string): string {
  const json = JSON.stringify(value)
  const bytes = Buffer.byteLength(json)
  if (bytes <= MAX_COMMAND_BYTES) return json
  throw new PitwallError('VALIDATION_FAILED', `${field} takes ${bytes} bytes as JSON; at most ${MAX_COMMAND_BYTES} are kept`, {
    errors: [{ path: `/${field}`, message: `must be at most ${MAX_COMMAND_BYTES} bytes as JSON` }]
  })
}
