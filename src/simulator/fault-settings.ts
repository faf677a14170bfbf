import { PitwallError } from '../errors.js'
import type { FaultInput, FaultKind } from '../schemas/simulator.js'

/** What one fault is, all parameters of its kind filled in. */
export type FaultSettings = { vehicle?: string } & (
  | { kind: 'dropout', rate: number }
  | { kind: 'late', rate: number, delay: number }
  | { kind: 'skew', offset: number }
  | { kind: 'burst', delay: number }
  | { kind: 'stuck', signal: string }
  | { kind: 'spike', signal: string, rate: number }
)

/** Parameters of each kind with their defaults, the one that may stand without its name first. */
export const faultParameters: Readonly<Record<FaultKind, Readonly<Record<string, number | string>>>> = {
  dropout: { rate: 0.1 },
  late: { rate: 0.1, delay: 10 },
  skew: { offset: 30 },
  burst: { delay: 5 },
  stuck: { signal: 'speed' },
  spike: { signal: 'motorRPM', rate: 0.02 }
}

/** @throws VALIDATION_FAILED naming a parameter that the kind has not */
export function fillFault ({ kind, vehicle, duration: _, ...given }: FaultInput): FaultSettings {
  const known = faultParameters[kind]
  const foreign = Object.keys(given).find((name) => !Object.hasOwn(known, name))
  if (foreign !== undefined) {
    throw new PitwallError('VALIDATION_FAILED', `A fault of the kind ${kind} has no ${foreign}; it has ${Object.keys(known).join(' and ')}`, { errors: [{ path: `/${foreign}`, message: `is not of ${kind}` }] })
  }
  return { kind, ...known, ...given, ...(vehicle !== undefined && { vehicle }) } as FaultSettings
}
