import { isPlainDocument } from '../arguments.js'
import { CommandError, ErrorCodes } from '../semantics/index.js'
import { noSuchTransaction } from '../sessions/transaction.js'
import type { CommandContext, Handler, Reply } from './context.js'

export const commitTransaction: Handler = async context => {
  const { session, txnNumber, engine } = context
  const transaction = session?.transaction
  if (session === undefined || txnNumber === undefined) throw new CommandError(ErrorCodes.InvalidOptions, 'commitTransaction must be run within a transaction')
  if (transaction === undefined || transaction.number !== txnNumber || transaction.state === 'aborted') throw noSuchTransaction(txnNumber)
  if (transaction.state === 'committed') return { fields: {} }
  try {
    if (transaction.hasWrites) await engine.commit(unit => { transaction.apply(unit.view, engine.oplog) })
    transaction.finish('committed')
  } catch (error) {
    transaction.finish('aborted')
    throw error
  }
  engine.cursors.closeWhere(cursor => cursor.transaction === transaction)
  return { fields: {} }
}

export const abortTransaction: Handler = context => {
  const { session, txnNumber, engine } = context
  const transaction = session?.transaction
  if (session === undefined || txnNumber === undefined) throw new CommandError(ErrorCodes.InvalidOptions, 'abortTransaction must be run within a transaction')
  if (transaction === undefined || transaction.number !== txnNumber || transaction.state === 'aborted') throw noSuchTransaction(txnNumber)
  if (transaction.state === 'committed') throw new CommandError(256, `Transaction with { txnNumber: ${txnNumber} } has been committed.`)
  transaction.finish('aborted')
  engine.cursors.closeWhere(cursor => cursor.transaction === transaction)
  return { fields: {} }
}

export const endSessions: Handler = context => closeSessions(context, context.body.endSessions, false)
export const killSessions: Handler = context => {
  const { killSessions: named } = context.body
  return closeSessions(context, Array.isArray(named) && named.length > 0 ? named : undefined, true)
}

export const killAllSessions: Handler = context => closeSessions(context, undefined, true)
export const refreshSessions: Handler = context => {
  for (const lsid of lsidsOf(context.body.refreshSessions)) context.engine.sessions.use(lsid)
  return { fields: {} }
}

/** Ends sessions with their transactions and cursors, and if `kills` what they run now; all of them if none are named. */
function closeSessions (context: CommandContext, named: unknown, kills: boolean): Reply {
  const { engine, session: own } = context
  const sessions = named === undefined ? engine.sessions.all() : lsidsOf(named).map(lsid => engine.sessions.use(lsid))
  for (const session of sessions) {
    if (session === own && named === undefined) continue
    if (kills) engine.operations.stopSession(session.name, context)
    engine.cursors.closeWhere(cursor => cursor.session === session.name && !cursor.isBusy)
    engine.sessions.end(session)
  }
  return { fields: {} }
}

function lsidsOf (value: unknown): Array<Record<string, unknown>> {
  return Array.isArray(value) ? value.filter(isPlainDocument) : []
}
