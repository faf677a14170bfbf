import { CommandError, type Document } from '../semantics/index.js'

/** Commands of Stable API version 1 (mongodb.com/docs/manual/reference/stable-api). */
const VERSION_1 = new Set([
  'abortTransaction', 'aggregate', 'bulkWrite', 'collMod', 'commitTransaction', 'count', 'create', 'createIndexes', 'delete', 'drop',
  'dropDatabase', 'dropIndexes', 'endSessions', 'explain', 'find', 'findAndModify', 'getMore', 'hello', 'insert', 'killCursors',
  'listCollections', 'listDatabases', 'listIndexes', 'ping', 'refreshSessions', 'update', 'authenticate', 'saslStart', 'saslContinue', 'isMaster', 'ismaster'
])

/** Checks `apiVersion` and `apiStrict`. @throws CommandError 322, 323, 72 */
export function checkApiVersion (name: string, body: Document): void {
  const { apiVersion, apiStrict, apiDeprecationErrors } = body
  if (apiVersion === undefined) {
    if (apiStrict !== undefined || apiDeprecationErrors !== undefined) {
      throw new CommandError(72, 'Provided apiStrict and/or apiDeprecationErrors without passing apiVersion')
    }
    return
  }
  if (apiVersion !== '1') throw new CommandError(322, 'API version must be "1"')
  if (apiStrict === true && !VERSION_1.has(name)) {
    throw new CommandError(323, `Provided apiStrict:true, but the command ${name} is not in API Version 1. Information on supported commands and migrations in API Version 1 can be found at https://dochub.mongodb.org/core/manual-versioned-api`)
  }
}
