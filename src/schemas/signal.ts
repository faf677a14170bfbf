import { Type, type Static } from 'typebox'

/** A value a sensor may report. */
export const SignalValueSchema = Type.Union([Type.Number(), Type.Boolean(), Type.String({ maxLength: 256 })])

/** Name of a signal, as in samples; its characters are judged by the registry. */
export const SignalNameSchema = Type.String({ minLength: 1, maxLength: 128, description: 'Name of a signal, as in samples' })

const pair = Type.Array(Type.Number(), { minItems: 2, maxItems: 2 })

const ThresholdSchema = Type.Object({
  severity: Type.Enum(['warning', 'critical']),
  above: Type.Optional(Type.Number({ description: 'Reached above this value' })),
  below: Type.Optional(Type.Number({ description: 'Reached below this value' }))
}, { additionalProperties: false })

/** What may be said anew of every signal. */
const changeable = {
  description: Type.String({ minLength: 1, maxLength: 500 }),
  range: { ...pair, description: 'Scale of a gauge; values outside are kept' },
  limits: { ...pair, description: 'Values outside are refused' },
  thresholds: Type.Array(ThresholdSchema, { maxItems: 8, description: 'Where a value asks for attention' })
}

/** What is fixed of the signals that every installation has. */
const own = {
  kind: Type.Enum(['number', 'text', 'flag']),
  unit: Type.String({ minLength: 1, maxLength: 32, description: 'Unit of stored values' }),
  vss: Type.String({ minLength: 1, maxLength: 128, description: 'COVESA VSS path, accepted as a field name' }),
  vssFactor: Type.Number({ description: 'Stored value = VSS value × factor' }),
  values: Type.Array(Type.String({ maxLength: 256 }), { maxItems: 100, description: 'Usual texts' })
}

const partial = {
  unit: Type.Optional(own.unit),
  vss: Type.Optional(own.vss),
  vssFactor: Type.Optional(own.vssFactor),
  range: Type.Optional(changeable.range),
  limits: Type.Optional(changeable.limits),
  values: Type.Optional(own.values),
  thresholds: Type.Optional(changeable.thresholds)
}

/** One row of the signal registry. */
export const SignalSchema = Type.Object({
  name: SignalNameSchema,
  description: Type.String(),
  kind: own.kind,
  ...partial,
  origin: Type.Enum(['built-in', 'overridden', 'own'], { description: 'Of every installation, changed by this one, or its own' })
})
export type SignalRow = Static<typeof SignalSchema>

/** A signal of the installation's own. */
export const SignalCreationSchema = Type.Object({
  name: SignalNameSchema,
  kind: own.kind,
  description: Type.Optional(changeable.description),
  ...partial
}, { additionalProperties: false })
export type SignalCreation = Static<typeof SignalCreationSchema>

/** All that is said of a signal; of a built-in one only description, range, limits and thresholds. */
export const SignalReplacementSchema = Type.Object({
  kind: Type.Optional(own.kind),
  description: Type.Optional(changeable.description),
  ...partial
}, { additionalProperties: false })
export type SignalReplacement = Static<typeof SignalReplacementSchema>

const orNull = <T extends Type.TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]))

/** Fields to change; null removes one, or gives a built-in signal its own back. */
export const SignalChangeSchema = Type.Object({
  kind: Type.Optional(own.kind),
  description: orNull(changeable.description),
  unit: orNull(own.unit),
  vss: orNull(own.vss),
  vssFactor: orNull(own.vssFactor),
  range: orNull(changeable.range),
  limits: orNull(changeable.limits),
  values: orNull(own.values),
  thresholds: orNull(changeable.thresholds)
}, { additionalProperties: false, minProperties: 1 })
export type SignalChange = Static<typeof SignalChangeSchema>

export const SignalParamsSchema = Type.Object({ name: SignalNameSchema }, { additionalProperties: false })
