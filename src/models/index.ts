import type { Connection } from 'mongoose'
import { activityEventModel } from './activity-event.js'
import { alertModel } from './alert.js'
import { alertRuleModel } from './alert-rule.js'
import { apiKeyModel } from './api-key.js'
import { auditEntryModel } from './audit-entry.js'
import { channelMessageModel } from './channel-message.js'
import { commandModel } from './command.js'
import { deviceModel } from './device.js'
import { engineIconModel } from './engine-icon.js'
import { eventModel } from './event.js'
import { firstStartModel } from './first-start.js'
import { gearModel } from './gear.js'
import { idempotencyRecordModel } from './idempotency-record.js'
import { invitationModel } from './invitation.js'
import { loginAttemptModel } from './login-attempt.js'
import { loginSessionModel } from './login-session.js'
import { rollupMarkModel } from './rollup-mark.js'
import { rollupModel } from './rollup.js'
import { sampleModel } from './sample.js'
import { sessionMarkModel } from './session-mark.js'
import { sessionModel } from './session.js'
import { simulatorRemovalModel } from './simulator-removal.js'
import { signalModel } from './signal.js'
import { ticketModel } from './ticket.js'
import { userModel } from './user.js'
import { vehicleStateModel } from './vehicle-state.js'
import { vehicleModel } from './vehicle.js'

const registered = new WeakMap<Connection, Models>()

/** All Mongoose models of one connection, defined once however often they are asked for. */
export function registerModels (connection: Connection): Models {
  const models = registered.get(connection) ?? defineModels(connection)
  registered.set(connection, models)
  return models
}

/** Each file of this folder defines one. */
function defineModels (connection: Connection) {
  return {
    connection,
    activityEvents: activityEventModel(connection),
    activitySessions: sessionModel(connection),
    sessionMarks: sessionMarkModel(connection),
    alerts: alertModel(connection),
    alertRules: alertRuleModel(connection),
    apiKeys: apiKeyModel(connection),
    users: userModel(connection),
    tickets: ticketModel(connection),
    loginAttempts: loginAttemptModel(connection),
    loginSessions: loginSessionModel(connection),
    invitations: invitationModel(connection),
    auditEntries: auditEntryModel(connection),
    channelMessages: channelMessageModel(connection),
    commands: commandModel(connection),
    devices: deviceModel(connection),
    engineIcon: engineIconModel(connection),
    events: eventModel(connection),
    firstStarts: firstStartModel(connection),
    gear: gearModel(connection),
    idempotencyRecords: idempotencyRecordModel(connection),
    signals: signalModel(connection),
    vehicles: vehicleModel(connection),
    vehicleStates: vehicleStateModel(connection),
    simulatorRemovals: simulatorRemovalModel(connection),
    samples: sampleModel(connection),
    rollups: rollupModel(connection),
    rollupMarks: rollupMarkModel(connection)
  }
}

export type Models = ReturnType<typeof defineModels>
