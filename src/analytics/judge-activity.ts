import { randomUUID } from 'node:crypto'
import { Compile } from 'typebox/compile'
import type { ErrorCode } from '../errors.js'
import type { Identity } from '../identity/identity.js'
import type { StoredActivity } from '../models/activity-event.js'
import { ActivityInputSchema } from '../schemas/activity.js'
import { parseTime } from './time-input.js'

/** How far ahead of the server's clock an event may be. */
export const maxAheadMs = 60 * 60_000
const maxDataBytes = 16 * 1024
const maxDataDepth = 16
/** Ids of sessions that Pitwall made itself begin so. */
export const ownSessionPrefix = 'auto-'

const validator = Compile(ActivityInputSchema)

export interface Fault { code: ErrorCode, message: string }
export type Judgement = { event: StoredActivity } | { fault: Fault }

/**
 * Checks one event as a client sent it and completes it: an id when it has none, the
 * server's time when it names none, the thing its key is bound to as its device.
 */
export function judgeActivity (item: unknown, identity: Identity, now: number): Judgement {
  if (!validator.Check(item)) return refuse('VALIDATION_FAILED', explainFault(item))
  const ts = item.ts === undefined ? now : parseTime(item.ts)
  if (ts === null) return refuse('VALIDATION_FAILED', 'ts must be epoch milliseconds or ISO 8601 with an offset')
  if (ts > now + maxAheadMs) return refuse('CLOCK_SKEW', `ts ${new Date(ts).toISOString()} is more than an hour ahead of the server`)
  if (item.session?.startsWith(ownSessionPrefix)) return refuse('RESERVED_FIELD', `session must not begin with ${ownSessionPrefix}, which names sessions grouped by user`)
  const fault = item.data && findDataFault(item.data)
  if (fault) return refuse(fault.startsWith('data is') ? 'PAYLOAD_TOO_LARGE' : 'RESERVED_FIELD', fault)
  const bound = identity.device ?? identity.vehicle
  if (bound !== undefined && item.device !== undefined && item.device !== bound) {
    return refuse('FORBIDDEN', `device must be ${bound}, which this key is bound to`)
  }
  const { id, ts: _given, ...fields } = item
  const at = new Date(now)
  return {
    event: {
      _id: id?.toLowerCase() ?? randomUUID(),
      ...fields,
      ...(bound !== undefined && { device: bound }),
      ts: new Date(ts),
      createdAt: at,
      updatedAt: at
    }
  }
}

const refuse = (code: ErrorCode, message: string): Judgement => ({ fault: { code, message } })

function explainFault (item: unknown): string {
  const faults = validator.Errors(item)
  const summary = faults.find((fault) => fault.keyword === 'additionalProperties') ?? faults.find((fault) => fault.keyword === 'anyOf') ?? faults[0]
  if (!summary) return 'is not valid'
  const name = summary.instancePath.slice(1) || 'an activity event'
  const params = summary.params as { additionalProperties?: string[], requiredProperties?: string[] }
  const named = params.additionalProperties ?? params.requiredProperties
  if (summary.keyword === 'anyOf') return `${name} must be epoch milliseconds or ISO 8601 with an offset`
  return `${name} ${summary.message}${named && summary.keyword === 'additionalProperties' ? `: ${named.join(', ')}` : ''}`
}

/** What keeps `data` from being stored, or null: too big, too deep, or a name that MongoDB or JavaScript reads as something else. */
function findDataFault (data: Record<string, unknown>): string | null {
  const fault = findFieldFault(data, 1)
  if (fault) return fault
  return Buffer.byteLength(JSON.stringify(data)) > maxDataBytes ? `data is larger than ${maxDataBytes} bytes` : null
}

function findFieldFault (value: unknown, depth: number): string | null {
  if (typeof value !== 'object' || value === null) return null
  if (depth > maxDataDepth) return `data is nested deeper than ${maxDataDepth} levels`
  if (Array.isArray(value)) return firstFault(value, depth)
  const reserved = Object.keys(value).find((key) => key.startsWith('$') || key.includes('.') || key.includes('\0') || forbiddenNames.has(key))
  return reserved === undefined ? firstFault(Object.values(value), depth) : `data must not have a field named ${JSON.stringify(reserved)}`
}

function firstFault (values: unknown[], depth: number): string | null {
  for (const value of values) {
    const fault = findFieldFault(value, depth + 1)
    if (fault) return fault
  }
  return null
}

const forbiddenNames = new Set(['__proto__', 'constructor', 'prototype'])
