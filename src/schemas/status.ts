import { Type, type Static } from 'typebox'
import { Id, SendTime, TimeInput, Timestamp } from './atoms.js'
import { SignalValueSchema } from './signal.js'

/**
 * Body of `POST /api/update-status` and of an object without `type` over the socket.
 * Fields besides `vehicle`, `ts` and `sentAt` are signals, by name or VSS path; they are judged
 * one by one, so that an error names the field.
 */
export const StatusInputSchema = Type.Object({
  vehicle: Type.Optional(Id),
  ts: Type.Optional(TimeInput),
  sentAt: Type.Optional(SendTime)
}, { additionalProperties: true, description: 'vehicle, ts, sentAt and signals', examples: [{ vehicle: 'car-7', motorRPM: 4200, batteryPercentage: 81, gear: '3' }] })
export type StatusInput = Static<typeof StatusInputSchema>

/** What became of a status: the vehicle it went to and its time. */
export const StatusReplySchema = Type.Object({ vehicle: Id, ts: Timestamp })
export type StatusReply = Static<typeof StatusReplySchema>

/** Latest value of a signal and when it was measured. */
export const SignalStateSchema = Type.Object({ v: SignalValueSchema, t: Timestamp })
export type SignalState = Static<typeof SignalStateSchema>

/** Latest value and time per signal. */
export const StateSchema = Type.Record(Type.String(), SignalStateSchema)
export type State = Static<typeof StateSchema>

/** One vehicle in the snapshot of the channel `status`, and all of the snapshot of `vehicle:ID`. */
export const VehicleStatusSchema = Type.Object({
  vehicle: Id,
  online: Type.Boolean(),
  lastSeen: Type.Union([Timestamp, Type.Null()]),
  simulated: Type.Boolean(),
  state: StateSchema
})
export type VehicleStatus = Static<typeof VehicleStatusSchema>

/** Data of the channel `status`: the signals that moved, or `online` when the vehicle came or went. */
export const StatusMessageSchema = Type.Object({
  vehicle: Id,
  ts: Timestamp
}, { additionalProperties: SignalValueSchema })
export type StatusMessage = { vehicle: string, ts: string } & Record<string, string | number | boolean>
