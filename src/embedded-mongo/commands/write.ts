import { Int32 } from 'bson'
import { asNumber, isPlainDocument, optionalBoolean, optionalDocument } from '../arguments.js'
import { CommandError, ErrorCodes, deserializeDocument, type Document } from '../semantics/index.js'
import { prepareInsert } from '../writes/prepare-document.js'
import { runStatements, type Progress } from '../writes/run-statements.js'
import { DeleteStatement, InsertStatement, UpdateStatement, type StatementTarget, type UpdateSpec } from '../writes/statements.js'
import { collectionName, type CommandContext, type Handler } from './context.js'
import { assertStatementFields } from './known-fields.js'
import { rawDocuments } from './raw-documents.js'

export const MAX_WRITE_BATCH = 100_000

export const insert: Handler = async context => {
  const target = targetOf(context)
  const documents = batchOf(context, 'documents')
  const prepared = documents.map(raw => {
    try {
      return prepareInsert(raw, context.engine.oplog.clock)
    } catch (error) {
      if (error instanceof CommandError && error.code !== ErrorCodes.InvalidBSON) return error
      throw error
    }
  })
  const progress = await runStatements(context, {
    count: prepared.length,
    ordered: optionalBoolean(context.body, 'ordered') ?? true,
    make: index => {
      const document = prepared[index]!
      if (document instanceof CommandError) throw document
      return new InsertStatement(target, document)
    },
    report: (_index, _statement, { results }) => { tally(results).n = Number(tally(results).n ?? 0) + 1 }
  })
  return { fields: writeReply(progress, { n: new Int32(Number(tally(progress.results).n ?? 0)) }) }
}

export const update: Handler = async context => {
  const target = targetOf(context)
  const variables = optionalDocument(context.body, 'let')
  const statements = batchOf(context, 'updates').map(raw => readUpdate(deserializeDocument(raw), variables))
  refuseMultiRetry(context, statements, 'multi=true')
  const progress = await runStatements(context, {
    count: statements.length,
    ordered: optionalBoolean(context.body, 'ordered') ?? true,
    make: index => new UpdateStatement(target, statements[index]!),
    report: (index, { result }, { results }) => {
      const total = tally(results)
      const upserted = result.upsertedId === undefined ? 0 : 1
      total.n = Number(total.n ?? 0) + result.matched + upserted
      total.nModified = Number(total.nModified ?? 0) + result.modified
      if (upserted === 1) total.upserted = [...(total.upserted as Document[] | undefined ?? []), { index: new Int32(index), _id: result.upsertedId }]
    }
  })
  const { n = 0, nModified = 0, upserted } = tally(progress.results)
  return { fields: writeReply(progress, { n: new Int32(Number(n)), nModified: new Int32(Number(nModified)), ...(upserted === undefined ? {} : { upserted }) }) }
}

export const remove: Handler = async context => {
  const target = targetOf(context)
  const variables = optionalDocument(context.body, 'let')
  const statements = batchOf(context, 'deletes').map(raw => readDelete(deserializeDocument(raw), variables))
  refuseMultiRetry(context, statements, 'limit=0')
  const progress = await runStatements(context, {
    count: statements.length,
    ordered: optionalBoolean(context.body, 'ordered') ?? true,
    make: index => new DeleteStatement(target, statements[index]!),
    report: (_index, { result }, { results }) => { tally(results).n = Number(tally(results).n ?? 0) + result.matched }
  })
  return { fields: writeReply(progress, { n: new Int32(Number(tally(progress.results).n ?? 0)) }) }
}

/** A write on many documents cannot be told apart from its repeat. @throws CommandError 72 */
function refuseMultiRetry ({ txnNumber, transaction }: CommandContext, statements: Array<{ multi: boolean }>, name: string): void {
  if (txnNumber === undefined || transaction !== undefined || !statements.some(({ multi }) => multi)) return
  throw new CommandError(ErrorCodes.InvalidOptions, `Cannot use (or request) retryable writes with ${name}`)
}

const UPDATE_FIELDS = new Set(['q', 'u', 'c', 'sort', 'upsert', 'multi', 'hint', 'arrayFilters', 'collation', 'upsertSupplied', 'sampleId'])
const DELETE_FIELDS = new Set(['q', 'limit', 'hint', 'collation', 'sampleId'])

/** One of an update command's statements. */
export function readUpdate (spec: Document, variables: Document | undefined): UpdateSpec {
  const { u, arrayFilters } = spec
  assertStatementFields('update.updates', spec, UPDATE_FIELDS)
  if (!isPlainDocument(u) && !Array.isArray(u)) throw new CommandError(ErrorCodes.FailedToParse, 'Update argument must be either an object or an array')
  if (!isPlainDocument(spec.q)) throw new CommandError(40414, "BSON field 'update.updates.q' is missing but a required field")
  return {
    filter: spec.q,
    update: u as Document | Document[],
    multi: optionalBoolean(spec, 'multi') ?? false,
    upsert: optionalBoolean(spec, 'upsert') ?? false,
    arrayFilters: arrayFilters as Document[] | undefined,
    sort: optionalDocument(spec, 'sort'),
    hint: spec.hint,
    collation: optionalDocument(spec, 'collation'),
    let: optionalDocument(spec, 'c') === undefined ? variables : { ...variables, ...optionalDocument(spec, 'c') }
  }
}

function readDelete (spec: Document, variables: Document | undefined): ConstructorParameters<typeof DeleteStatement>[1] {
  assertStatementFields('delete.deletes', spec, DELETE_FIELDS)
  if (!isPlainDocument(spec.q)) throw new CommandError(40414, "BSON field 'delete.deletes.q' is missing but a required field")
  const limit = asNumber(spec.limit)
  if (limit !== 0 && limit !== 1) throw new CommandError(ErrorCodes.FailedToParse, `The limit field in delete objects must be 0 or 1. Got ${String(spec.limit)}`)
  return { filter: spec.q, multi: limit === 0, hint: spec.hint, collation: optionalDocument(spec, 'collation'), let: variables }
}

/** Where a command's writes go, and whether its collection's validator judges them. */
export function targetOf (context: CommandContext): StatementTarget {
  return {
    engine: context.engine,
    db: context.db,
    coll: collectionName(context),
    bypassValidation: optionalBoolean(context.body, 'bypassDocumentValidation') ?? false
  }
}

/** The command's documents in bytes, however they came. @throws CommandError 16 */
export function batchOf (context: CommandContext, name: string): Buffer[] {
  const documents = rawDocuments(context, name)
  if (documents.length === 0 || documents.length > MAX_WRITE_BATCH) {
    throw new CommandError(ErrorCodes.InvalidLength, `Write batch sizes must be between 1 and ${MAX_WRITE_BATCH}. Got ${documents.length} operations.`)
  }
  context.engine.operations.countStatements(context.name, documents.length)
  return documents
}

/** The one document in which a command's counts are added up. */
function tally (results: Document[]): Document {
  results[0] ??= {}
  return results[0]
}

function writeReply (progress: Progress, counts: Document): Document {
  if (progress.errors.length === 0) return counts
  return { ...counts, writeErrors: progress.errors.map(error => ({ ...error, index: new Int32(Number(error.index)) })) }
}
