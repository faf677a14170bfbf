import { CommandError, ErrorCodes } from '../semantics/index.js'

const ADMIN_ONLY = new Set([
  'listDatabases', 'renameCollection', 'getParameter', 'getLog', 'getCmdLineOpts', 'hostInfo', 'replSetGetStatus', 'currentOp', 'killOp', 'bulkWrite',
  'commitTransaction', 'abortTransaction'
])

/** @throws CommandError 13 for a command that concerns the whole server, run on another database */
export function assertAdmin (name: string, db: string): void {
  if (ADMIN_ONLY.has(name) && db !== 'admin') throw new CommandError(ErrorCodes.Unauthorized, `${name} may only be run against the admin database.`)
}
