import { Type, type Static } from 'typebox'
import { CommandReportSchema } from '../command.js'
import { FilterInput, Message } from './common.js'

const Fields = Type.Record(Type.String(), Type.Unknown())

export const CreateMessage = Message('CREATE', { payload: Fields })
export type CreateMessage = Static<typeof CreateMessage>

export const UpdateMessage = Message('UPDATE', {
  payload: Type.Object({ id: Type.String({ minLength: 1, maxLength: 128 }), updateData: Fields }, { additionalProperties: false })
})
export type UpdateMessage = Static<typeof UpdateMessage>

export const DeleteMessage = Message('DELETE', {
  payload: Type.Object({ id: Type.String({ minLength: 1, maxLength: 128 }) }, { additionalProperties: false })
})
export type DeleteMessage = Static<typeof DeleteMessage>

export const FetchMessage = Message('FETCH', {
  payload: Type.Optional(Type.Object({
    filter: Type.Optional(FilterInput),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    cursor: Type.Optional(Type.String({ maxLength: 1024 }))
  }, { additionalProperties: false }))
})
export type FetchMessage = Static<typeof FetchMessage>

/** Goes to every client with its payload unchanged. */
export const BroadcastMessage = Message('BROADCAST', {
  payload: Type.Object({ message: Type.Unknown() }, { additionalProperties: true })
})
export type BroadcastMessage = Static<typeof BroadcastMessage>

/** To all others, or to the one session `to`. */
export const RelayMessage = Message('message', {
  data: Type.Unknown(),
  to: Type.Optional(Type.String({ minLength: 1, maxLength: 128 }))
})
export type RelayMessage = Static<typeof RelayMessage>

/** Type, message, data: to every client as sent. Which types are free, `reserved-types.ts` says. */
export const TypeMessageData = Type.Object({
  type: Type.String({ minLength: 1, maxLength: 128 }),
  message: Type.Optional(Type.String()),
  data: Type.Optional(Type.Unknown())
}, { additionalProperties: true })
export type TypeMessageData = Static<typeof TypeMessageData>

/** What became of a command that the client's vehicle was given. */
export const CommandResultMessage = Message('command-result', {
  command: Type.String({ minLength: 1, maxLength: 128, description: 'The command’s id' }),
  ...CommandReportSchema.properties
})
export type CommandResultMessage = Static<typeof CommandResultMessage>

/** An object without type: the status of a vehicle; its fields are judged by the telemetry domain. */
export const TypelessStatus = Type.Record(Type.String(), Type.Unknown(), { minProperties: 1 })
export type TypelessStatus = Static<typeof TypelessStatus>
