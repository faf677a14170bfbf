import { CommandError, type Document } from '../semantics/index.js'
import { isPlainDocument } from '../arguments.js'

/** Fields that any command may carry; so may anything that begins with `$`. */
const GENERIC = new Set([
  'lsid', 'txnNumber', 'autocommit', 'startTransaction', 'stmtId', 'stmtIds', 'readConcern', 'writeConcern', 'maxTimeMS', 'maxTimeMSOpOnly', 'comment',
  'apiVersion', 'apiStrict', 'apiDeprecationErrors', 'collectionUUID'
])

/** The fields of each command, as the reference pages of MongoDB 8.0 list them. Commands that are not here take any. */
const FIELDS: Record<string, string> = {
  find: 'filter sort projection hint skip limit batchSize singleBatch max min returnKey showRecordId tailable oplogReplay noCursorTimeout awaitData allowPartialResults collation allowDiskUse let readOnce ntoreturn',
  getMore: 'collection batchSize',
  killCursors: 'cursors',
  insert: 'documents ordered bypassDocumentValidation bypassEmptyTsReplacement',
  update: 'updates ordered bypassDocumentValidation bypassEmptyTsReplacement let',
  delete: 'deletes ordered bypassDocumentValidation let',
  findAndModify: 'query sort remove update new fields upsert bypassDocumentValidation bypassEmptyTsReplacement collation arrayFilters hint let',
  bulkWrite: 'ops nsInfo ordered errorsOnly bypassDocumentValidation bypassEmptyTsReplacement let cursor',
  aggregate: 'pipeline explain allowDiskUse cursor bypassDocumentValidation collation hint let',
  count: 'query limit skip hint collation fields',
  distinct: 'key query collation hint',
  explain: 'verbosity',
  create: 'capped timeseries expireAfterSeconds clusteredIndex changeStreamPreAndPostImages autoIndexId idIndex size max storageEngine validator validationLevel validationAction indexOptionDefaults viewOn pipeline collation encryptedFields',
  drop: '',
  dropDatabase: '',
  renameCollection: 'to dropTarget stayTemp',
  collMod: 'index validator validationLevel validationAction viewOn pipeline changeStreamPreAndPostImages expireAfterSeconds cappedSize cappedMax timeseries dryRun',
  listDatabases: 'filter nameOnly authorizedDatabases',
  listCollections: 'filter nameOnly authorizedCollections cursor',
  createIndexes: 'indexes commitQuorum ignoreUnknownIndexOptions',
  listIndexes: 'cursor',
  dropIndexes: 'index',
  collStats: 'scale',
  dbStats: 'scale freeStorage',
  validate: 'full repair metadata checkBSONConformance background'
}

const ALIASES: Record<string, string> = { findandmodify: 'findAndModify', deleteIndexes: 'dropIndexes', collstats: 'collStats', dbstats: 'dbStats' }

const known = new Map(Object.entries(FIELDS).map(([name, fields]) => [name, new Set([...fields.split(' '), ...GENERIC])]))

/** Refuses fields a command does not have: ignoring one would be a silent yes. @throws CommandError 40415 */
export function assertKnownFields (name: string, body: Document, sequences: Iterable<string> = []): void {
  const canonical = ALIASES[name] ?? name
  const fields = known.get(canonical)
  if (fields === undefined) return
  for (const field in body) {
    if (field !== name && !fields.has(field) && !field.startsWith('$')) throw unknownField(`${canonical}.${field}`)
  }
  for (const field of sequences) {
    if (!fields.has(field)) throw unknownField(`${canonical}.${field}`)
    if (body[field] !== undefined) throw new CommandError(40413, `BSON field '${canonical}.${field}' is a duplicate field`)
  }
  if (canonical === 'explain' && isPlainDocument(body.explain)) assertKnownFields(Object.keys(body.explain)[0] ?? '', body.explain)
}

/** The fields of one statement of `update`, `delete` or `bulkWrite`. @throws CommandError 40415 */
export function assertStatementFields (path: string, statement: Document, fields: ReadonlySet<string>): void {
  for (const field in statement) if (!fields.has(field)) throw unknownField(`${path}.${field}`)
}

export function unknownField (path: string): CommandError {
  return new CommandError(40415, `BSON field '${path}' is an unknown field.`)
}
