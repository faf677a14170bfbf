import { Long } from 'bson'
import { isPlainDocument } from '../arguments.js'
import type { Engine } from '../engine.js'
import { CommandError, ErrorCodes, type Document } from '../semantics/index.js'
import { transactionTooOld, type Session } from '../sessions/sessions.js'
import { Transaction, noSuchTransaction } from '../sessions/transaction.js'
import { TransactionView } from '../sessions/transaction-view.js'
import { toBytes } from '../bytes.js'
import { StoreView } from '../storage/view.js'

const LIFETIME_MS = 60_000

export interface SessionOptions { session: Session | undefined, txnNumber: bigint | undefined, transaction: Transaction | undefined }

/** Commands that may be part of a transaction. */
const IN_TRANSACTION = new Set([
  'insert', 'update', 'delete', 'find', 'getMore', 'aggregate', 'distinct', 'findAndModify', 'findandmodify', 'count', 'create', 'createIndexes',
  'killCursors', 'bulkWrite', 'commitTransaction', 'abortTransaction', 'drop', 'dropIndexes', 'dropDatabase', 'renameCollection', 'collMod', 'ping', 'listCollections', 'listIndexes', 'hello', 'explain'
])

/** The session and transaction a command says it belongs to; starts the transaction when it is the first. */
export function readSession (engine: Engine, name: string, body: Document): SessionOptions {
  const { lsid, txnNumber: given, autocommit, startTransaction } = body
  checkTransactionFields(name, body)
  if (lsid === undefined) return { session: undefined, txnNumber: undefined, transaction: undefined }
  if (!isPlainDocument(lsid)) throw new CommandError(ErrorCodes.TypeMismatch, "BSON field 'lsid' must be an object")
  const session = engine.sessions.use(lsid)
  if (given === undefined) return { session, txnNumber: undefined, transaction: undefined }
  const txnNumber = given instanceof Long ? given.toBigInt() : BigInt(String(given))
  if (txnNumber < session.number) throw transactionTooOld(txnNumber, session.number)
  if (txnNumber > session.number) {
    session.transaction?.finish('aborted')
    session.transaction = undefined
    session.number = txnNumber
  }
  if (autocommit !== false) return { session, txnNumber, transaction: undefined }
  if (name === 'commitTransaction' || name === 'abortTransaction') return { session, txnNumber, transaction: undefined }
  if (!IN_TRANSACTION.has(name)) throw new CommandError(ErrorCodes.OperationNotSupportedInTransaction, `Cannot run '${name}' in a multi-document transaction.`)
  if (startTransaction === true) {
    if (session.transaction !== undefined) throw new CommandError(117, `Cannot start a transaction at given transaction number ${txnNumber}: a transaction with the same number is already in progress`)
    session.transaction = beginTransaction(engine, session, lsid, txnNumber)
  }
  const { transaction } = session
  if (transaction === undefined || transaction.state === 'aborted') throw noSuchTransaction(txnNumber)
  if (transaction.state === 'committed') throw new CommandError(256, `Transaction with { txnNumber: ${txnNumber} } has been committed.`)
  checkInTransaction(body, startTransaction === true)
  return { session, txnNumber, transaction }
}

/** Commands that may carry a transaction number without being part of a transaction. */
const RETRYABLE = new Set(['insert', 'update', 'delete', 'findAndModify', 'findandmodify', 'bulkWrite', 'commitTransaction', 'abortTransaction'])

/** @throws CommandError 72, 50768 for combinations that mean nothing */
function checkTransactionFields (name: string, { lsid, txnNumber, autocommit, startTransaction }: Document): void {
  const refuse = (message: string): never => { throw new CommandError(ErrorCodes.InvalidOptions, message) }
  if (autocommit === true) refuse('Specifying autocommit=true is not allowed.')
  if (startTransaction !== undefined && autocommit === undefined) refuse("'startTransaction' field requires 'autocommit' field to also be specified")
  if (txnNumber === undefined) return autocommit === undefined ? undefined : refuse("'autocommit' field requires a transaction number to also be specified")
  if (lsid === undefined) refuse('Transaction number requires a session ID to also be specified')
  if (autocommit !== undefined) return
  if (!RETRYABLE.has(name)) {
    throw new CommandError(50768, `txnNumber may only be provided for multi-document transactions and retryable write commands. autocommit:false was not provided, and ${name} is not a retryable write command.`)
  }
}

/** @throws CommandError 72 for concerns that only the transaction as a whole can have */
function checkInTransaction (body: Document, isFirst: boolean): void {
  if (body.writeConcern !== undefined) throw new CommandError(ErrorCodes.InvalidOptions, 'writeConcern is not allowed within a multi-statement transaction')
  if (body.readConcern !== undefined && !isFirst) throw new CommandError(ErrorCodes.InvalidOptions, 'Only the first command in a transaction may specify a readConcern')
  const level = isPlainDocument(body.readConcern) ? body.readConcern.level : undefined
  if (level === 'linearizable' || level === 'available') {
    throw new CommandError(ErrorCodes.InvalidOptions, 'The readConcern level must be either \'local\' (default), \'majority\' or \'snapshot\' in order to run in a transaction')
  }
}

function beginTransaction (engine: Engine, session: Session, lsid: Document, number: bigint): Transaction {
  const snapshot = engine.state.openSnapshot()
  return new Transaction({
    number,
    view: new TransactionView(new StoreView(engine.state.environment, { snapshot })),
    claims: engine.claims,
    catalog: engine.catalog,
    session: toBytes({ lsid, txnNumber: Long.fromBigInt(number) }),
    lifetimeMS: engine.options.transactionLifetimeMS ?? LIFETIME_MS
  })
}
