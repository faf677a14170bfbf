import { aggregate } from './aggregate.js'
import { backup } from './backup.js'
import { bulkWrite } from './bulk-write.js'
import { collMod, collStats, create, dbStats, drop, dropDatabase, listCollections, listDatabases, renameCollection } from './collections.js'
import type { Handler } from './context.js'
import { count, distinct } from './count-distinct.js'
import { explain } from './explain.js'
import { findAndModify } from './find-and-modify.js'
import { find, getMore, killCursors } from './find.js'
import {
  buildInfo, connectionStatus, getCmdLineOpts, getLog, getParameter, hello, hostInfo, ping, replSetGetStatus, serverStatus, whatsMyUri
} from './handshake.js'
import { createIndexes, dropIndexes, listIndexes } from './indexes.js'
import { currentOp, killOp } from './operations.js'
import { logout, saslContinue, saslStart } from './sasl.js'
import { abortTransaction, commitTransaction, endSessions, killAllSessions, killSessions, refreshSessions } from './sessions.js'
import { validate } from './validate.js'
import { insert, remove, update } from './write.js'

/** Every command that is known, by the names it may be called. */
export const commands: ReadonlyMap<string, Handler> = new Map<string, Handler>(Object.entries({
  hello,
  isMaster: hello,
  ismaster: hello,
  ping,
  buildInfo,
  buildinfo: buildInfo,
  hostInfo,
  serverStatus,
  connectionStatus,
  whatsmyuri: whatsMyUri,
  getCmdLineOpts,
  getParameter,
  getLog,
  replSetGetStatus,
  currentOp,
  killOp,

  saslStart,
  saslContinue,
  logout,

  insert,
  update,
  delete: remove,
  findAndModify,
  findandmodify: findAndModify,
  bulkWrite,
  find,
  getMore,
  killCursors,
  aggregate,
  count,
  distinct,
  explain,

  create,
  drop,
  dropDatabase,
  renameCollection,
  collMod,
  validate,
  collStats,
  collstats: collStats,
  dbStats,
  dbstats: dbStats,
  listDatabases,
  listCollections,
  createIndexes,
  listIndexes,
  dropIndexes,
  deleteIndexes: dropIndexes,

  commitTransaction,
  abortTransaction,
  endSessions,
  killSessions,
  killAllSessions,
  refreshSessions,

  pitwallBackup: backup
}))
