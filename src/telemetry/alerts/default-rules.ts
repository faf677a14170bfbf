import type { AlertRuleModel } from '../../models/alert-rule.js'
import type { FirstStartModel } from '../../models/first-start.js'
import { duplicateKeyFields } from '../../models/store-errors.js'
import type { SignalRow } from '../../schemas/signal.js'
import { nameRule } from './describe-rule.js'

/** How calmly the rules of some signals fire: seconds beyond the threshold, and how far back inside it they clear. */
const tuning: Record<string, { holdFor: number, margin: number }> = {
  batteryPercentage: { holdFor: 10, margin: 2 },
  motorTemperature: { holdFor: 5, margin: 3 },
  batteryTemperature: { holdFor: 5, margin: 2 },
  motorRPM: { holdFor: 10, margin: 300 }
}
const usual = { holdFor: 5, margin: 0 }
const MARK = 'alert-rules'

/**
 * Makes a rule of each threshold in the registry, at the first start only: what is
 * deleted of them stays deleted.
 */
export async function addDefaultRules (model: AlertRuleModel, firstStarts: FirstStartModel, signals: SignalRow[]): Promise<void> {
  if (await firstStarts.exists({ _id: MARK })) return
  const now = new Date()
  const rules = signals.flatMap((signal) => (signal.thresholds ?? []).map(({ severity, above, below }) => {
    const { holdFor, margin } = tuning[signal.name] ?? usual
    const clearAt = above !== undefined && below !== undefined ? undefined : above === undefined ? (below as number) + margin : above - margin
    const rule = { signal: signal.name, vehicle: undefined, above, below, equals: undefined, stale: undefined, for: holdFor, clearAt, clearAfter: undefined, severity }
    const given = Object.fromEntries(Object.entries(rule).filter(([, value]) => value !== undefined))
    return { _id: `${signal.name}-${severity}`, name: nameRule(rule, signal), ...given, enabled: true, createdAt: now, updatedAt: now }
  }))
  try {
    if (rules.length > 0) {
      await model.collection.bulkWrite(rules.map(({ _id, ...rule }) => ({
        updateOne: { filter: { _id: _id as never }, update: { $setOnInsert: rule }, upsert: true }
      })), { ordered: false })
    }
    await firstStarts.create({ _id: MARK })
  } catch (error) {
    // Another node, at its first start at the same moment, makes the same ones.
    if (!duplicateKeyFields(error)) throw error
  }
}
