import { PitwallError } from '../errors.js'
import { builtInFields, type SignalFields } from './signal-fields.js'
import type { SignalValue } from './signals.js'

/** A sample that passed judgement: names and units are ours, the time is epoch milliseconds or left to the server. */
export interface CheckedSample {
  ts: number | undefined
  values: Record<string, SignalValue>
  /** When the sensor says that it sent it, epoch milliseconds by the sensor's clock. */
  sentAt?: number | undefined
  /** Which of several sources of an exported history it came from, from 1; 1 when absent. */
  source?: number
  /** What it roughly takes in memory. */
  bytes: number
}

/** A client's clock may be this far ahead, in milliseconds. */
export const MAX_CLOCK_AHEAD = 60 * 60 * 1000
/** Most sources that an imported history may tell apart. */
export const MAX_SOURCES = 999_999
/** Most signals one sample may carry. */
export const MAX_SIGNALS = 512

const isoTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/
const vehicleId = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Reads an ISO 8601 time with offset, or epoch milliseconds.
 * @returns whole epoch milliseconds
 * @throws VALIDATION_FAILED naming the field
 */
export function parseTime (value: unknown, field = 'ts'): number {
  const time = typeof value === 'number' ? Math.floor(value) : typeof value === 'string' && isoTime.test(value) ? Date.parse(value) : Number.NaN
  if (time >= 0 && time <= 8_640_000_000_000_000) return time
  throw new PitwallError('VALIDATION_FAILED', `${field} must be an ISO 8601 time with its offset, or epoch milliseconds`)
}

/**
 * The same of a query, where epoch milliseconds are text as well.
 * @throws VALIDATION_FAILED naming the field
 */
export const parseTimeText = (value: string | number, field: string): number =>
  parseTime(typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value, field)

/** Vehicle's name as a client gives it. @throws VALIDATION_FAILED */
export function checkVehicle (value: unknown): string {
  if (typeof value === 'string' && vehicleId.test(value)) return value
  throw new PitwallError('VALIDATION_FAILED', 'vehicle must be a name of letters, digits and . _ : - up to 128, a letter or digit first')
}

/**
 * Judges a status, `{vehicle?, ts?, sentAt?, …signals}`.
 * @throws VALIDATION_FAILED, RESERVED_FIELD, CLOCK_SKEW
 */
export function checkStatus (status: unknown, now: number, known: SignalFields = builtInFields): CheckedSample & { vehicle: string | undefined } {
  if (!isObject(status)) throw new PitwallError('VALIDATION_FAILED', 'A status must be an object')
  const { vehicle, ts, sentAt, ...fields } = status
  const checked = checkFields(ts, fields, now, known)
  if (sentAt !== undefined) checked.sentAt = parseTime(sentAt, 'sentAt')
  return { ...checked, vehicle: vehicle === undefined ? undefined : checkVehicle(vehicle) }
}

/**
 * Judges one sample of a batch, `{ts?, sentAt?, source?, values}`.
 * @throws VALIDATION_FAILED, RESERVED_FIELD, CLOCK_SKEW
 */
export function checkSample (sample: unknown, now: number, known: SignalFields = builtInFields): CheckedSample {
  if (!isObject(sample)) throw new PitwallError('VALIDATION_FAILED', 'A sample must be an object')
  for (const field in sample) {
    if (field !== 'ts' && field !== 'values' && field !== 'sentAt' && field !== 'source') {
      throw new PitwallError('VALIDATION_FAILED', `A sample has ts, sentAt, source and values, not ${JSON.stringify(field.slice(0, 140))}`)
    }
  }
  if (!isObject(sample.values)) throw new PitwallError('VALIDATION_FAILED', 'values must be an object of signals')
  const checked = checkFields(sample.ts, sample.values, now, known)
  if (sample.sentAt !== undefined) checked.sentAt = parseTime(sample.sentAt, 'sentAt')
  if (sample.source !== undefined) checked.source = checkSource(sample.source)
  return checked
}

function checkSource (source: unknown): number {
  if (typeof source === 'number' && Number.isInteger(source) && source >= 1 && source <= MAX_SOURCES) return source
  throw new PitwallError('VALIDATION_FAILED', `source must be a whole number from 1 to ${MAX_SOURCES}, as an export has it`)
}

function checkFields (time: unknown, fields: Record<string, unknown>, now: number, known: SignalFields): CheckedSample {
  const ts = time === undefined ? undefined : parseTime(time)
  if (ts !== undefined && ts > now + MAX_CLOCK_AHEAD) {
    throw new PitwallError('CLOCK_SKEW', `ts is ${Math.round((ts - now) / 1000)} s ahead of the server's clock; at most ${MAX_CLOCK_AHEAD / 1000} s are taken`)
  }
  const values: Record<string, SignalValue> = {}
  let bytes = 200
  let count = 0
  for (const name of Object.keys(fields)) {
    const value = fields[name]
    known.assign(values, name, value)
    bytes += 24 + name.length + (typeof value === 'string' ? value.length : 0)
    count++
  }
  if (count === 0) throw new PitwallError('VALIDATION_FAILED', 'There is no signal in it')
  if (count > MAX_SIGNALS) throw new PitwallError('VALIDATION_FAILED', `There are more than ${MAX_SIGNALS} signals in it`)
  return { ts, values, bytes }
}
