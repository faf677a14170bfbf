import { PitwallError, type FieldError } from '../errors.js'
import type { Signal } from './signals.js'

/** A signal's definition with fields left out. */
export type SignalFieldsGiven = { readonly [Field in keyof Signal]?: Signal[Field] | undefined }

/** What an installation may say anew of a signal that every installation has. */
export const overridable = ['description', 'range', 'limits', 'thresholds'] as const

const forNumbers = ['unit', 'vssFactor', 'range', 'limits', 'thresholds'] as const

/**
 * Judges whether the fields of a signal make sense together.
 * @throws VALIDATION_FAILED naming each field that does not
 */
export function checkSignal (kind: Signal['kind'], fields: SignalFieldsGiven): void {
  const errors: FieldError[] = []
  const fault = (field: string, message: string) => { errors.push({ path: `/${field}`, message }) }
  if (kind !== 'number') for (const field of forNumbers) if (fields[field] !== undefined) fault(field, `is for signals of kind number, not ${kind}`)
  if (kind !== 'text' && fields.values !== undefined) fault('values', `is for signals of kind text, not ${kind}`)
  for (const field of ['range', 'limits'] as const) {
    const pair = fields[field]
    if (pair && pair[0] >= pair[1]) fault(field, 'must have the lower value first')
  }
  if (fields.vssFactor !== undefined && fields.vss === undefined) fault('vssFactor', 'needs vss')
  if (fields.vssFactor === 0) fault('vssFactor', 'must not be 0')
  for (const [index, { above, below }] of (fields.thresholds ?? []).entries()) {
    if (above === undefined && below === undefined) fault(`thresholds/${index}`, 'needs above or below')
  }
  if (errors.length === 0) return
  throw new PitwallError('VALIDATION_FAILED', errors.map(({ path, message }) => `${path.slice(1)} ${message}`).join('; '), { errors })
}

/** @throws VALIDATION_FAILED when more is said of a built-in signal than an installation may */
export function checkOverride (fields: SignalFieldsGiven): void {
  const names: readonly string[] = overridable
  const fixed = Object.keys(fields).filter((field) => !names.includes(field))
  if (fixed.length === 0) return
  throw new PitwallError('VALIDATION_FAILED', `Of a built-in signal only ${overridable.join(', ')} can be changed, not ${fixed.join(', ')}`, {
    errors: fixed.map((field) => ({ path: `/${field}`, message: 'is fixed for built-in signals' }))
  })
}
