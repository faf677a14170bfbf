import { PitwallError, type FieldError } from '../../errors.js'
import type { AlertRuleRecord } from '../../models/alert-rule.js'
import type { Signal } from '../signals.js'

/** What of a rule says when it fires and clears. */
export type Condition = Pick<AlertRuleRecord, 'signal' | 'vehicle' | 'above' | 'below' | 'equals' | 'stale' | 'for' | 'clearAt' | 'clearAfter' | 'severity'>

/** The same with fields that may be there and undefined. */
export type ConditionGiven = { [Field in keyof Condition]: Condition[Field] | undefined }

/**
 * Judges whether a rule makes sense.
 * @param signal what the registry knows of its signal
 * @throws VALIDATION_FAILED naming each field that does not
 */
export function checkRule (rule: ConditionGiven, signal: Signal | undefined): void {
  const errors: FieldError[] = []
  const fault = (field: keyof Condition | '', message: string) => { errors.push({ path: field && `/${field}`, message }) }
  const { above, below, equals, stale, clearAt } = rule
  const isThreshold = above !== undefined || below !== undefined
  const kinds = [isThreshold && 'above or below', equals !== undefined && 'equals', stale !== undefined && 'stale'].filter(Boolean)
  if (kinds.length === 0) fault('', 'A rule needs a condition: above, below, equals or stale')
  if (kinds.length > 1) fault('', `A rule has one kind of condition, not ${kinds.join(' and ')}`)
  if (above !== undefined && below !== undefined && above <= below) fault('above', 'must be more than below')
  if (clearAt !== undefined) {
    if (!isThreshold) fault('clearAt', 'is for above or below')
    else if (above !== undefined && below !== undefined) fault('clearAt', 'is for one of above and below')
    else if (above !== undefined && clearAt > above) fault('clearAt', 'must not be more than above')
    else if (below !== undefined && clearAt < below) fault('clearAt', 'must not be less than below')
  }
  if (stale !== undefined) {
    for (const field of ['for', 'clearAfter'] as const) if (rule[field]) fault(field, 'is not for stale, which is seconds already')
  }
  if (signal && signal.kind !== 'number' && isThreshold) fault(above === undefined ? 'below' : 'above', `is for numbers; ${signal.name} is a ${signal.kind}`)
  if (signal?.kind === 'number' && equals !== undefined && typeof equals !== 'number') fault('equals', `must be a number, as ${signal.name} is`)
  if (signal?.kind === 'flag' && equals !== undefined && typeof equals !== 'boolean') fault('equals', `must be true or false, as ${signal.name} is`)
  if (errors.length === 0) return
  const told = errors.map(({ path, message }) => `${path.slice(1)} ${message}`.trim())
  throw new PitwallError('VALIDATION_FAILED', told.join('; '), { errors })
}
