import { isDeepStrictEqual } from 'node:util'
import type { MongoBulkWriteError } from 'mongodb'
import { BSON, MongoClientBulkWriteError, MongoError, MongoServerError, type Document, type MongoClient } from 'mongodb'
import { Entities } from './entities.js'
import { assertMatches } from './match.js'
import { runOperation } from './operations.js'
import { Mismatch, NotJudged, type ExpectedError, type InitialData, type Operation, type TestCase, type TestFile } from './types.js'

const { EJSON } = BSON

/** Runs one case against a server. Throws Mismatch if it goes otherwise than the file says, NotJudged if it cannot be told. */
export async function runCase (uri: string, admin: MongoClient, file: TestFile, test: TestCase): Promise<void> {
  for (const data of file.initialData ?? []) await fillCollection(admin, data)
  const entities = new Entities(uri)
  try {
    await entities.create(file.createEntities ?? [])
    for (const operation of test.operations) await runAndCheck(entities, operation)
    for (const expected of test.outcome ?? []) await checkOutcome(admin, expected)
  } finally {
    await entities.close()
  }
}

async function fillCollection (admin: MongoClient, { databaseName, collectionName, documents, createOptions }: InitialData): Promise<void> {
  const db = admin.db(databaseName, { writeConcern: { w: 'majority' } })
  await db.dropCollection(collectionName)
  if (createOptions !== undefined || documents.length === 0) await db.createCollection(collectionName, createOptions ?? {})
  if (documents.length > 0) await db.collection(collectionName).insertMany(documents)
}

/** With `rethrow`, as inside withTransaction, an expected error is checked and still goes on to the driver. */
async function runAndCheck (entities: Entities, operation: Operation, rethrow = false): Promise<void> {
  let result: unknown
  try {
    result = await runOperation(entities, operation, async operations => {
      for (const nested of operations) await runAndCheck(entities, nested, true)
    })
  } catch (error) {
    if (error instanceof Mismatch || error instanceof NotJudged) throw error
    if (operation.ignoreResultAndError === true) return
    if (operation.expectError === undefined) throw new Mismatch(`${operation.name} failed: ${String(error)}`)
    checkError(entities, operation.expectError, error)
    if (rethrow) throw error
    return
  }
  if (operation.ignoreResultAndError === true) return
  if (operation.expectError !== undefined) throw new Mismatch(`${operation.name} succeeded where an error was to come`)
  if (operation.expectResult !== undefined) assertMatches(plainResult(result), operation.expectResult, entities.values)
  if (operation.saveResultAsEntity !== undefined) entities.values.set(operation.saveResultAsEntity, result)
}

async function checkOutcome (admin: MongoClient, { databaseName, collectionName, documents }: InitialData): Promise<void> {
  const found = await admin.db(databaseName).collection(collectionName).find({}, { sort: { _id: 1 } }).toArray()
  if (!isDeepStrictEqual(canonical(found), canonical(documents))) {
    throw new Mismatch(`${collectionName} holds ${EJSON.stringify(found)} instead of ${EJSON.stringify(documents)}`)
  }
}

/** The same value with keys in order and numbers by value. */
function canonical (value: unknown): unknown {
  return JSON.parse(EJSON.stringify(value, (_key: string, item: unknown) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item) || '_bsontype' in item) return item
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => a < b ? -1 : 1))
  }))
}

function checkError (entities: Entities, expected: ExpectedError, error: unknown): void {
  const require = (holds: boolean, what: string): void => { if (!holds) throw new Mismatch(`${what}; the error was ${String(error)} (code ${String((error as MongoServerError).code)})`) }
  if (expected.isClientError !== undefined) require(expected.isClientError === !(error instanceof MongoServerError || error instanceof MongoClientBulkWriteError), `isClientError is not ${expected.isClientError}`)
  const server = error as MongoServerError & Partial<MongoBulkWriteError>
  const messages = [String(server.message), ...writeErrorsOf(server).map(each => String(each.errmsg ?? each.message))].join('\n').toLowerCase()
  if (expected.errorContains !== undefined) require(messages.includes(expected.errorContains.toLowerCase()), `the message lacks '${expected.errorContains}'`)
  if (expected.errorCode !== undefined) require(server.code === expected.errorCode, `the code is not ${expected.errorCode}`)
  if (expected.errorCodeName !== undefined) require((server.codeName ?? (server.errorResponse as Document | undefined)?.codeName) === expected.errorCodeName, `the code name is not ${expected.errorCodeName}`)
  for (const label of expected.errorLabelsContain ?? []) require(error instanceof MongoError && error.hasErrorLabel(label), `the label ${label} is missing`)
  for (const label of expected.errorLabelsOmit ?? []) require(!(error instanceof MongoError && error.hasErrorLabel(label)), `the label ${label} is there`)
  if (expected.errorResponse !== undefined) assertMatches(server.errorResponse ?? server.result, expected.errorResponse, entities.values, true, 'errorResponse')
  if (expected.writeErrors !== undefined) {
    const byIndex = Object.fromEntries(writeErrorsOf(server).map(each => [String(each.index), each]))
    for (const [index, each] of Object.entries(expected.writeErrors)) assertMatches(byIndex[index], each, entities.values, true, `writeErrors[${index}]`)
  }
  if (expected.expectResult !== undefined) {
    const partial = error instanceof MongoClientBulkWriteError ? error.partialResult : server.result
    assertMatches(plainResult(partial), expected.expectResult, entities.values)
  }
}

function writeErrorsOf (error: Partial<MongoBulkWriteError>): Document[] {
  const { writeErrors } = error as { writeErrors?: unknown }
  if (writeErrors instanceof Map) return [...writeErrors].map(([index, each]) => ({ index, code: (each as Document).code, message: (each as Document).message }))
  return (Array.isArray(writeErrors) ? writeErrors : writeErrors === undefined ? [] : [writeErrors]).map((each: Document) => ({ index: each.index, code: each.code, errmsg: each.errmsg }))
}

const RESULT_FIELDS = ['acknowledged', 'insertedCount', 'matchedCount', 'modifiedCount', 'deletedCount', 'upsertedCount', 'upsertedId', 'insertedId', 'insertedIds', 'upsertedIds']
const RESULT_MAPS = ['insertResults', 'updateResults', 'deleteResults']

/** A driver's result object as the plain document that files compare with. */
function plainResult (result: unknown): unknown {
  if (typeof result !== 'object' || result === null || !('insertedCount' in result || 'acknowledged' in result)) return result
  const source = result as Document
  const plain: Document = {}
  for (const name of RESULT_FIELDS) if (source[name] !== undefined && source[name] !== null) plain[name] = source[name]
  for (const name of RESULT_MAPS) {
    const map: unknown = source[name]
    if (map instanceof Map) plain[name] = Object.fromEntries([...map].map(([index, each]) => [String(index), withoutNull(each as Document)]))
  }
  return plain
}

/** `didUpsert` is the Node driver's own addition. */
function withoutNull (doc: Document): Document {
  return Object.fromEntries(Object.entries(doc).filter(([name, value]) => name !== 'didUpsert' && value !== null && value !== undefined))
}
