import { Type, type Static } from 'typebox'
import { Id, Timestamp } from './atoms.js'

/** What simulated vehicles can be made to do wrong. */
export const faultKinds = ['dropout', 'late', 'skew', 'burst', 'stuck', 'spike'] as const
export type FaultKind = typeof faultKinds[number]

const faultFields = {
  vehicle: Type.Optional({ ...Id, description: 'All simulated vehicles when absent' }),
  rate: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'Share of samples: lost (dropout, 0.1), late (late, 0.1) or wrong (spike, 0.02)' })),
  delay: Type.Optional(Type.Number({ minimum: 0.1, maximum: 600, description: 'Seconds that samples come late (late, 10), or are held to be sent at once (burst, 5)' })),
  offset: Type.Optional(Type.Number({ minimum: -3500, maximum: 3500, description: 'Seconds that the vehicle’s clock is ahead, or behind when negative (skew, 30)' })),
  signal: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'Signal that stops changing (stuck, speed) or jumps (spike, motorRPM)' }))
}

/** Body that starts a fault; a parameter that its kind has not is refused. */
export const FaultInputSchema = Type.Object({
  kind: Type.Enum([...faultKinds], { description: 'dropout: samples are lost; late: sent long after they were measured; skew: the clock is off; burst: held, then sent together; stuck: a signal stops changing; spike: a signal jumps' }),
  ...faultFields,
  duration: Type.Optional(Type.Number({ minimum: 1, maximum: 3600, default: 60, description: 'Seconds after which it ends by itself' }))
}, { additionalProperties: false })
export type FaultInput = Static<typeof FaultInputSchema>

/** A fault that is going on. */
export const FaultSchema = Type.Object({
  id: Id,
  kind: Type.Enum([...faultKinds]),
  ...faultFields,
  startedAt: Timestamp,
  endsAt: Timestamp
})
export type Fault = Static<typeof FaultSchema>

/** The simulator of this server. */
export const SimulatorSchema = Type.Object({
  running: Type.Boolean({ description: 'False with SIMULATE=0' }),
  rate: Type.Number({ description: 'Samples a second of each vehicle' }),
  vehicles: Type.Array(Id, { description: 'Those that drive' }),
  removed: Type.Array(Id, { description: 'Those that were removed, and stay away until they are restored' }),
  faults: Type.Array(FaultSchema)
})
export type Simulator = Static<typeof SimulatorSchema>
