import { Type, type Static } from 'typebox'
import { documentFields, Id, Name, Timestamp } from './atoms.js'
import { listQuery } from './envelope.js'
import { SignalNameSchema, SignalValueSchema } from './signal.js'

const WEEK = 7 * 24 * 3600
const body = { additionalProperties: false } as const

/** How much an alert matters: amber or red. */
export const SeveritySchema = Type.Enum(['warning', 'critical'])

const ruleFields = {
  signal: SignalNameSchema,
  vehicle: Type.Optional(Type.String({ ...Id, description: 'The one vehicle it is for; all without' })),
  above: Type.Optional(Type.Number({ description: 'Met above this value' })),
  below: Type.Optional(Type.Number({ description: 'Met below this value; with above, outside of both' })),
  equals: Type.Optional(Type.Union([Type.Number(), Type.Boolean(), Type.String({ maxLength: 256 })], { description: 'Met by exactly this value' })),
  stale: Type.Optional(Type.Number({ minimum: 1, maximum: WEEK, description: 'Met after so many seconds without a value, by the server’s clock' })),
  for: Type.Optional(Type.Number({ minimum: 0, maximum: WEEK, description: 'Seconds the condition must hold, by the samples’ time' })),
  clearAt: Type.Optional(Type.Number({ description: 'Value at which it is over; the threshold itself without' })),
  clearAfter: Type.Optional(Type.Number({ minimum: 0, maximum: WEEK, description: 'Seconds it must be over, by the samples’ time' })),
  severity: SeveritySchema
}

/** When a signal asks for attention; exactly one kind of condition: above and/or below, equals, or stale. */
export const AlertRuleSchema = Type.Object({ ...documentFields, name: Name, ...ruleFields, enabled: Type.Boolean() })
export type AlertRule = Static<typeof AlertRuleSchema>

/** A new rule; without `name` it is called by its condition. */
export const AlertRuleCreationSchema = Type.Object({
  name: Type.Optional(Name),
  ...ruleFields,
  enabled: Type.Optional(Type.Boolean({ default: true }))
}, body)
export type AlertRuleCreation = Static<typeof AlertRuleCreationSchema>

const orNull = <T extends Type.TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]))

/** Fields to change; null removes one. */
export const AlertRuleChangeSchema = Type.Object({
  name: Type.Optional(Name),
  signal: Type.Optional(SignalNameSchema),
  vehicle: orNull(Id),
  above: orNull(Type.Number()),
  below: orNull(Type.Number()),
  equals: orNull(SignalValueSchema),
  stale: orNull(Type.Number({ minimum: 1, maximum: WEEK })),
  for: orNull(Type.Number({ minimum: 0, maximum: WEEK })),
  clearAt: orNull(Type.Number()),
  clearAfter: orNull(Type.Number({ minimum: 0, maximum: WEEK })),
  severity: Type.Optional(SeveritySchema),
  enabled: Type.Optional(Type.Boolean())
}, { ...body, minProperties: 1 })
export type AlertRuleChange = Static<typeof AlertRuleChangeSchema>

export const AlertRuleListQuerySchema = Type.Object({
  ...listQuery(),
  signal: Type.Optional(SignalNameSchema),
  vehicle: Type.Optional(Id),
  severity: Type.Optional(SeveritySchema),
  enabled: Type.Optional(Type.Boolean())
}, body)

/** A rule's condition met by one vehicle, from then until it is over. */
export const AlertSchema = Type.Object({
  ...documentFields,
  vehicle: Id,
  rule: Type.String({ description: 'Id of the rule' }),
  name: Type.String({ description: 'Name of the rule when it opened' }),
  signal: Type.String(),
  severity: SeveritySchema,
  state: Type.Enum(['open', 'acknowledged', 'cleared']),
  message: Type.String(),
  value: Type.Optional({ ...SignalValueSchema, description: 'With which it opened; of a silent signal the last one known' }),
  peak: Type.Optional(Type.Number({ description: 'Value furthest beyond the threshold' })),
  openedAt: { ...Timestamp, description: 'By the samples’ time; of a silent signal by the server’s clock' },
  acknowledgedAt: Type.Optional(Timestamp),
  acknowledgedBy: Type.Optional(Type.String({ description: 'Not shown to visitors and on the channel' })),
  comment: Type.Optional(Type.String()),
  clearedAt: Type.Optional(Timestamp),
  clearedBy: Type.Optional(Type.String({ description: 'Not shown to visitors and on the channel' })),
  clearReason: Type.Optional(Type.Enum(['condition', 'hand', 'rule-changed', 'rule-disabled', 'rule-removed']))
})
export type Alert = Static<typeof AlertSchema>

const Moment = Type.String({ maxLength: 40, description: 'ISO 8601, or epoch milliseconds, of openedAt; from is inclusive, to is not' })

export const AlertListQuerySchema = Type.Object({
  ...listQuery(),
  vehicle: Type.Optional(Id),
  rule: Type.Optional(Id),
  signal: Type.Optional(SignalNameSchema),
  severity: Type.Optional(SeveritySchema),
  state: Type.Optional(Type.Enum(['open', 'acknowledged', 'cleared'])),
  from: Type.Optional(Moment),
  to: Type.Optional(Moment)
}, body)
export type AlertListQuery = Static<typeof AlertListQuerySchema>

/** Body of acknowledging and clearing; a body may be left out. */
export const AlertCommentSchema = Type.Union([
  Type.Object({ comment: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })) }, body),
  Type.Null()
])

/** Most firings that a trial tells. */
export const MAX_FIRINGS = 1000

/** A rule to be tried on a vehicle's past. */
export const RuleTrialSchema = Type.Object({
  rule: Type.Union([Type.Object({ name: Type.Optional(Name), ...ruleFields, enabled: Type.Optional(Type.Boolean()) }, body), Id], { description: 'A rule, or the id of one' }),
  vehicle: Id,
  from: Type.Optional(Type.Union([Type.String({ maxLength: 40 }), Type.Number()], { description: 'A day before `to` by default' })),
  to: Type.Optional(Type.Union([Type.String({ maxLength: 40 }), Type.Number()], { description: 'Now by default; exclusive' }))
}, body)
export type RuleTrial = Static<typeof RuleTrialSchema>

/** When a rule would have fired. */
export const TrialResultSchema = Type.Object({
  firings: Type.Array(Type.Object({
    openedAt: Timestamp,
    clearedAt: Type.Union([Timestamp, Type.Null()], { description: 'Null when it was open at the end' }),
    value: Type.Optional(SignalValueSchema),
    peak: Type.Optional(Type.Number())
  }), { maxItems: MAX_FIRINGS }),
  samples: Type.Integer({ minimum: 0, description: 'Samples with the signal that were read' }),
  complete: Type.Boolean({ description: 'False when it ended early: too many firings or samples' }),
  until: { ...Timestamp, description: 'How far it came' }
})
export type TrialResult = Static<typeof TrialResultSchema>
