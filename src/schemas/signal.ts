import { Type } from 'typebox'

/** A value a sensor may report. */
export const SignalValueSchema = Type.Union([Type.Number(), Type.Boolean(), Type.String({ maxLength: 256 })])

const pair = Type.Array(Type.Number(), { minItems: 2, maxItems: 2 })

/** One row of the signal registry. */
export const SignalSchema = Type.Object({
  name: Type.String(),
  description: Type.String(),
  kind: Type.Enum(['number', 'text', 'flag']),
  unit: Type.Optional(Type.String({ description: 'Unit of stored values' })),
  vss: Type.Optional(Type.String({ description: 'COVESA VSS 6.0 path, accepted as a field name' })),
  vssFactor: Type.Optional(Type.Number({ description: 'Stored value = VSS value × factor' })),
  range: Type.Optional({ ...pair, description: 'Scale of a gauge; values outside are kept' }),
  limits: Type.Optional({ ...pair, description: 'Values outside are refused' }),
  values: Type.Optional(Type.Array(Type.String())),
  thresholds: Type.Optional(Type.Array(Type.Object({
    severity: Type.Enum(['warning', 'critical']),
    above: Type.Optional(Type.Number()),
    below: Type.Optional(Type.Number())
  })))
})
