import type { SignalValue } from '../signals.js'
import type { ConditionGiven } from './check-rule.js'

/** What is told of a signal. */
type Unit = { unit?: string } | undefined

const decimals = new Intl.NumberFormat('en', { maximumFractionDigits: 3, useGrouping: false })

/** A value with its signal's unit: `112.4 °C`. */
function withUnit (value: SignalValue, signal: Unit): string {
  if (typeof value !== 'number') return JSON.stringify(value)
  const unit = signal?.unit === undefined ? '' : signal.unit === '°' ? '°' : ` ${signal.unit}`
  return `${decimals.format(value)}${unit}`
}

const seconds = (value: number) => value % 3600 === 0 ? `${value / 3600} h` : value % 60 === 0 ? `${value / 60} min` : `${decimals.format(value)} s`

/** A rule's condition in words: `above 110 °C for 5 s`. */
export function describeCondition (rule: ConditionGiven, signal: Unit): string {
  if (rule.stale !== undefined) return `without a value for ${seconds(rule.stale)}`
  const what = rule.equals !== undefined
    ? `is ${withUnit(rule.equals, signal)}`
    : [['below', rule.below] as const, ['above', rule.above] as const]
        .flatMap(([word, value]) => value === undefined ? [] : [`${word} ${withUnit(value, signal)}`]).join(' or ')
  return rule.for ? `${what} for ${seconds(rule.for)}` : what
}

/** What a rule is called when nobody named it: `motorTemperature above 110 °C`. */
export const nameRule = (rule: ConditionGiven, signal: Unit): string => `${rule.signal} ${describeCondition(rule, signal)}`.slice(0, 200)

/** What an alert says: `motorTemperature 112.4 °C, above 110 °C for 5 s`. */
export function describeAlert (rule: ConditionGiven, signal: Unit, value: SignalValue | undefined): string {
  const condition = describeCondition(rule, signal)
  if (rule.stale !== undefined || rule.equals !== undefined || value === undefined) return `${rule.signal} ${condition}`
  return `${rule.signal} ${withUnit(value, signal)}, ${condition}`
}
