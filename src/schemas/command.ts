import { Type, type Static } from 'typebox'
import { documentFields, Id, TimeInput, Timestamp } from './atoms.js'
import { listQuery } from './envelope.js'

/** States in which a command still waits for its end. */
export const waitingStates = ['pending', 'sent', 'delivered'] as const
/** How a command may end. */
export const finalStates = ['done', 'failed', 'expired', 'cancelled'] as const
/** Every state of a command. */
export const commandStates = [...waitingStates, ...finalStates] as const
export type CommandState = typeof commandStates[number]

/** What a device may say became of a command. */
export const reportedStates = ['delivered', 'done', 'failed'] as const

const CommandName = Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]*$', description: 'What to do, in words of your own', examples: ['pit', 'set-limiter'] })
const Params = Type.Record(Type.String(), Type.Unknown(), { description: 'Up to 16,384 bytes as JSON' })
const Result = Type.Unknown({ description: 'What the device has to say about it, up to 16,384 bytes as JSON' })

/** Body of `POST /api/vehicles/:id/commands`. */
export const CommandInputSchema = Type.Object({
  name: CommandName,
  params: Type.Optional(Params),
  expiresAt: Type.Optional({ ...TimeInput, description: 'When it is no longer wanted, ISO 8601 or epoch milliseconds: in 24 hours by default, in 30 days at most' })
}, { additionalProperties: false })
export type CommandInput = Static<typeof CommandInputSchema>

/** What a device reports of a command. */
export const CommandReportSchema = Type.Object({
  state: Type.Enum([...reportedStates]),
  result: Type.Optional(Result)
}, { additionalProperties: false })
export type CommandReport = Static<typeof CommandReportSchema>

/** A command as clients see it. */
export const CommandSchema = Type.Object({
  ...documentFields,
  vehicle: Id,
  name: CommandName,
  params: Params,
  state: Type.Enum([...commandStates]),
  expiresAt: Timestamp,
  createdBy: Type.Object({ kind: Type.String(), id: Type.String(), name: Type.String() }, { description: 'Who gave it' }),
  sentAt: Type.Optional(Timestamp),
  deliveredAt: Type.Optional(Timestamp),
  finishedAt: Type.Optional({ ...Timestamp, description: 'When it was done, failed, expired or cancelled' }),
  result: Type.Optional(Result)
})
export type Command = Static<typeof CommandSchema>

/** Query of a vehicle's commands. */
export const CommandQuerySchema = Type.Object({
  ...listQuery(),
  state: Type.Optional(Type.Enum([...commandStates, 'waiting'], { description: 'waiting: pending, sent or delivered' })),
  name: Type.Optional(Type.String({ maxLength: 64 }))
}, { additionalProperties: false })
export type CommandQuery = Static<typeof CommandQuerySchema>
