import { createDocumentCollection, type DocumentChange, type ListQuery, type Page, type WriteOptions } from '../../entities/document-collection.js'
import { entityTag } from '../../entities/entity-tag.js'
import { PitwallError } from '../../errors.js'
import type { AlertRuleModel } from '../../models/alert-rule.js'
import type { AlertRule, AlertRuleChange, AlertRuleCreation } from '../../schemas/alert.js'
import type { SignalRegistry } from '../signals-registry.js'
import { checkRule, type Condition, type ConditionGiven } from './check-rule.js'
import { nameRule } from './describe-rule.js'

/** Most rules an installation may have. */
export const MAX_RULES = 1000

export interface AlertRulesOptions {
  model: AlertRuleModel
  signals: SignalRegistry
  /** Called after each write of this process; as in createDocumentCollection. */
  onWrite?: (change: DocumentChange) => void
}

/** The rules as they are stored. */
export interface AlertRules {
  list (query: ListQuery): Promise<Page<AlertRule>>
  /** @throws NOT_FOUND */
  get (id: string): Promise<AlertRule>
  /** @throws VALIDATION_FAILED, RESERVED_FIELD, LIMIT_EXCEEDED */
  create (input: AlertRuleCreation): Promise<AlertRule>
  /** Changes the given fields; null removes one. @throws NOT_FOUND, VALIDATION_FAILED, PRECONDITION_FAILED */
  change (id: string, change: AlertRuleChange, options?: WriteOptions): Promise<AlertRule>
  /** @throws NOT_FOUND, PRECONDITION_FAILED */
  remove (id: string, options?: WriteOptions): Promise<AlertRule>
  /** A rule that is not stored, as it would be. @throws VALIDATION_FAILED, RESERVED_FIELD */
  check (input: AlertRuleCreation): Condition
}

const ATTEMPTS = 5

export function createAlertRules ({ model, signals, onWrite }: AlertRulesOptions): AlertRules {
  const documents = createDocumentCollection<AlertRule>({
    collection: model.collection,
    noun: 'alert rule',
    sortable: ['name'],
    filterable: ['signal', 'vehicle', 'severity', 'enabled'],
    ...(onWrite && { onWrite })
  })

  /** With the signal's own name in place of its VSS path. */
  const settle = <Rule extends ConditionGiven>(rule: Rule): Rule => {
    const signal = signals.fields.nameOf(rule.signal ?? '')
    checkRule({ ...rule, signal }, signals.find(signal))
    return { ...rule, signal }
  }

  return {
    list: documents.list,
    get: documents.get,
    remove: documents.remove,
    check: (input) => settle(pick(input)) as Condition,

    async create ({ name, enabled = true, ...input }) {
      const rule = settle(pick(input))
      if (await model.countDocuments() >= MAX_RULES) throw new PitwallError('LIMIT_EXCEEDED', `There are ${MAX_RULES} alert rules already`)
      return await documents.create({ name: name ?? nameRule(rule, signals.find(rule.signal ?? '')), ...rule, enabled })
    },

    async change (id, change, { ifMatch } = {}) {
      for (let attempt = 1; ; attempt++) {
        const before = await documents.get(id)
        const unnamed = before.name === nameRule(pick(before), signals.find(before.signal))
        const fields = Object.fromEntries(Object.entries(change).map(([field, value]) => [field, value ?? undefined]))
        const rule = settle(pick({ ...before, ...fields } as AlertRuleCreation))
        const name = change.name ?? (unnamed ? nameRule(rule, signals.find(rule.signal ?? '')) : before.name)
        try {
          // Fields are judged together, so what the others were must still be so.
          return await documents.change(id, { ...fields, signal: rule.signal, name }, { ifMatch: ifMatch ?? entityTag(before) })
        } catch (error) {
          const raced = error instanceof PitwallError && error.code === 'PRECONDITION_FAILED'
          if (!raced || ifMatch !== undefined || attempt === ATTEMPTS) throw error
        }
      }
    }
  }
}

/** The condition of a rule and nothing else. */
const pick = ({ signal, vehicle, above, below, equals, stale, for: holdFor, clearAt, clearAfter, severity }: Omit<AlertRuleCreation, 'name' | 'enabled'>): ConditionGiven =>
  ({ signal, vehicle, above, below, equals, stale, for: holdFor, clearAt, clearAfter, severity })
