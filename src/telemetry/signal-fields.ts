import { PitwallError } from '../errors.js'
import { signals as builtInSignals, type Signal, type SignalValue } from './signals.js'

/** How a field of a sample is kept: under which name, and converted how. */
interface SignalField { name: string, signal?: Signal, fromVss: boolean }

/** What fields of samples mean, by the signals known at the moment. */
export interface SignalFields {
  /** Signal that a field of a message or query means: by name, or VSS path. @throws RESERVED_FIELD, VALIDATION_FAILED */
  nameOf (field: string): string
  /**
   * Puts one field of a sample into its values, under its own name and in its stored unit.
   * @throws RESERVED_FIELD, VALIDATION_FAILED naming the field and what is wrong
   */
  assign (values: Record<string, SignalValue>, name: string, given: unknown): void
  /** Goes by other signals from now on. */
  replace (signals: Iterable<Signal>): void
}

/** Longest text a signal may carry, in characters. */
export const MAX_TEXT = 256

const namePattern = /^[\p{L}_][\p{L}\p{N}_.:/ -]{0,127}$/u
const reserved = new Set(['id', '_id', 'type', 'vehicle', 'ts', 'online', 'prototype', '_bsontype', ...Object.getOwnPropertyNames(Object.prototype)])
const MAX_REMEMBERED = 10_000

/** Makes sure that a field may be the name of a signal. @throws RESERVED_FIELD, VALIDATION_FAILED */
export function checkName (name: string): void {
  if (reserved.has(name)) throw new PitwallError('RESERVED_FIELD', `${name} cannot be the name of a signal`)
  if (!namePattern.test(name)) {
    throw new PitwallError('VALIDATION_FAILED', `${JSON.stringify(name.slice(0, 140))} is not a signal's name: letters, digits and _ . : / - up to 128, a letter first`)
  }
}

/**
 * The fields of samples as the given signals have them. Names already judged are looked
 * up, not judged again: it happens once per value of every sample.
 */
export function createSignalFields (signals: Iterable<Signal> = builtInSignals): SignalFields {
  const fields = new Map<string, SignalField>()

  const replace = (known: Iterable<Signal>) => {
    fields.clear()
    for (const signal of known) {
      fields.set(signal.name, { name: signal.name, signal, fromVss: false })
      if (signal.vss !== undefined && !fields.has(signal.vss)) fields.set(signal.vss, { name: signal.name, signal, fromVss: true })
    }
  }

  const resolveField = (name: string): SignalField => {
    const known = fields.get(name)
    if (known) return known
    checkName(name)
    const field = { name, fromVss: false }
    if (fields.size < MAX_REMEMBERED) fields.set(name, field)
    return field
  }

  replace(signals)
  return {
    replace,
    nameOf: (field) => resolveField(field).name,
    assign (values, name, given) {
      const field = resolveField(name)
      const value = checkValue(name, given)
      const stored = field.signal ? fitSignal(field, field.signal, name, value) : value
      const other = values[field.name]
      if (other !== undefined && other !== stored) {
        throw new PitwallError('VALIDATION_FAILED', `${name} and ${field.name} are the same signal with different values`)
      }
      values[field.name] = stored
    }
  }
}

/** Fields by the signals that every installation has. */
export const builtInFields: SignalFields = createSignalFields()

function checkValue (name: string, value: unknown): SignalValue {
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value
    throw new PitwallError('VALIDATION_FAILED', `${name} is not a finite number`)
  }
  if (typeof value === 'boolean') return value
  if (typeof value === 'string') {
    if (value.length <= MAX_TEXT) return value
    throw new PitwallError('VALIDATION_FAILED', `${name} is longer than ${MAX_TEXT} characters`)
  }
  throw new PitwallError('VALIDATION_FAILED', `${name} must be a number, a boolean or a text up to ${MAX_TEXT} characters`)
}

function fitSignal (field: SignalField, signal: Signal, name: string, value: SignalValue): SignalValue {
  if (signal.kind === 'number') {
    if (typeof value !== 'number') throw new PitwallError('VALIDATION_FAILED', `${name} must be a number`)
    const stored = field.fromVss && signal.vssFactor !== undefined ? value * signal.vssFactor : value
    if (!Number.isFinite(stored)) throw new PitwallError('VALIDATION_FAILED', `${name} is too large a number`)
    if (signal.limits && (stored < signal.limits[0] || stored > signal.limits[1])) {
      throw new PitwallError('VALIDATION_FAILED', `${name} must be between ${signal.limits[0]} and ${signal.limits[1]}`)
    }
    return stored
  }
  if (signal.kind === 'flag') {
    if (typeof value !== 'boolean') throw new PitwallError('VALIDATION_FAILED', `${name} must be true or false`)
    return value
  }
  if (field.fromVss) return signal.vssValues?.[String(value)] ?? String(value)
  return value
}

// A dot in a stored name would be read as a path by the database's operators.
const DOT = '․'

/** Name of a signal as a key in stored documents. */
export const storedName = (name: string): string => name.includes('.') ? name.replaceAll('.', DOT) : name

/** Signal's name of a key in stored documents. */
export const nameOfStored = (key: string): string => key.includes(DOT) ? key.replaceAll(DOT, '.') : key

/** Values under their stored names; the same object when no name has a dot. */
export function encodeValues<T> (values: Record<string, T>): Record<string, T> {
  for (const name in values) if (name.includes('.')) return mapKeys(values, storedName)
  return values
}

/** Values under their signals' names; the same object when no name had a dot. */
export function decodeValues<T> (values: Record<string, T>): Record<string, T> {
  for (const key in values) if (key.includes(DOT)) return mapKeys(values, nameOfStored)
  return values
}

const mapKeys = <T>(values: Record<string, T>, rename: (key: string) => string): Record<string, T> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [rename(key), value]))
