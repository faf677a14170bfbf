import { Int32 } from 'bson'
import { asNumber, isPlainDocument, optionalBoolean, optionalDocument } from '../arguments.js'
import { toBytes } from '../bytes.js'
import { cursorBatchSize, openCursor } from '../query/cursor-reply.js'
import { IterableSource } from '../query/sources.js'
import { CommandError, ErrorCodes, deserializeDocument, type Document } from '../semantics/index.js'
import { prepareInsert } from '../writes/prepare-document.js'
import { runStatements } from '../writes/run-statements.js'
import { DeleteStatement, InsertStatement, UpdateStatement, type ChangeSpec, type Statement, type StatementTarget } from '../writes/statements.js'
import type { CommandContext, Handler } from './context.js'
import { assertStatementFields } from './known-fields.js'
import { rawDocuments } from './raw-documents.js'
import { batchOf } from './write.js'

/** `bulkWrite` of MongoDB 8.0: inserts, updates and deletes on several collections in one command. */
export const bulkWrite: Handler = async context => {
  const { body } = context
  const operations = batchOf(context, 'ops').map(deserializeDocument)
  const targets = rawDocuments(context, 'nsInfo').map(raw => readTarget(context, deserializeDocument(raw)))
  const errorsOnly = optionalBoolean(body, 'errorsOnly') ?? false
  const progress = await runStatements(context, {
    count: operations.length,
    ordered: optionalBoolean(body, 'ordered') ?? true,
    make: index => makeStatement(context, operations[index]!, targets),
    report: (index, { result }, { results }) => { results.push(reportOf(operations[index]!, index, result)) }
  })
  const errors = progress.errors.map(({ index, ...error }) => ({ ok: 0, idx: new Int32(Number(index)), n: new Int32(0), ...(isKind(operations[Number(index)]!, 'update') ? { nModified: new Int32(0) } : {}), ...error }))
  const shown = [...(errorsOnly ? [] : progress.results.map(({ kind, ...shown }) => shown)), ...errors].sort((a, b) => Number(asNumber((a as Document).idx)) - Number(asNumber((b as Document).idx)))
  const reply = await openCursor(context, new IterableSource(shown), { namespace: 'admin.$cmd.bulkWrite', size: cursorBatchSize(body) ?? Infinity })
  return { ...reply, fields: { ...countResults(progress.results), nErrors: new Int32(errors.length) } }
}

function isKind (operation: Document, kind: 'insert' | 'update' | 'delete'): boolean {
  return Object.keys(operation)[0] === kind
}

function readTarget (context: CommandContext, info: Document): StatementTarget {
  const { ns } = info
  const dot = typeof ns === 'string' ? ns.indexOf('.') : -1
  if (typeof ns !== 'string' || dot < 1) throw new CommandError(ErrorCodes.InvalidNamespace, `Invalid namespace specified '${String(ns)}'`)
  return {
    engine: context.engine, db: ns.slice(0, dot), coll: ns.slice(dot + 1), bypassValidation: optionalBoolean(context.body, 'bypassDocumentValidation') ?? false
  }
}

const OPERATION_FIELDS: Record<string, ReadonlySet<string>> = {
  insert: new Set(['insert', 'document']),
  update: new Set(['update', 'filter', 'updateMods', 'multi', 'upsert', 'upsertSupplied', 'arrayFilters', 'hint', 'constants', 'collation', 'sort', 'sampleId']),
  delete: new Set(['delete', 'filter', 'multi', 'hint', 'collation', 'sampleId'])
}

function makeStatement (context: CommandContext, operation: Document, targets: StatementTarget[]): Statement {
  const kind = Object.keys(operation)[0]
  const fields = OPERATION_FIELDS[kind ?? '']
  if (fields !== undefined) assertStatementFields(`bulkWrite.ops.${kind!}`, operation, fields)
  const target = targets[asNumber(operation[kind ?? '']) ?? -1]
  if (target === undefined) throw new CommandError(ErrorCodes.BadValue, `BulkWrite ops entry ${String(kind)} has an invalid nsInfo index.`)
  const change: ChangeSpec = {
    filter: optionalDocument(operation, 'filter') ?? {},
    multi: optionalBoolean(operation, 'multi') ?? false,
    sort: optionalDocument(operation, 'sort'),
    hint: operation.hint,
    collation: optionalDocument(operation, 'collation'),
    let: { ...optionalDocument(context.body, 'let'), ...optionalDocument(operation, 'constants') }
  }
  if (kind === 'insert') {
    if (!isPlainDocument(operation.document)) throw new CommandError(40414, "BSON field 'bulkWrite.ops.document' is missing but a required field")
    return new InsertStatement(target, prepareInsert(toBytes(operation.document), context.engine.oplog.clock))
  }
  if (kind === 'delete') return new DeleteStatement(target, change)
  const { updateMods, arrayFilters } = operation
  if (kind !== 'update' || (!isPlainDocument(updateMods) && !Array.isArray(updateMods))) {
    throw new CommandError(ErrorCodes.FailedToParse, 'Update argument must be either an object or an array')
  }
  return new UpdateStatement(target, {
    ...change, update: updateMods as Document | Document[], upsert: optionalBoolean(operation, 'upsert') ?? false, arrayFilters: arrayFilters as Document[] | undefined
  })
}

function reportOf (operation: Document, index: number, result: Statement['result']): Document {
  const report: Document = { kind: Object.keys(operation)[0], ok: 1, idx: new Int32(index) }
  if (isKind(operation, 'insert')) return { ...report, n: new Int32(1) }
  const isUpsert = result.upsertedId !== undefined
  report.n = new Int32(result.matched + (isUpsert ? 1 : 0))
  if (isKind(operation, 'update')) report.nModified = new Int32(result.modified)
  if (isUpsert) report.upserted = { _id: result.upsertedId }
  return report
}

function countResults (results: Document[]): Document {
  const sum = (kind: string, count: (result: Document) => number): Int32 => new Int32(
    results.filter(result => result.kind === kind).reduce((total, result) => total + count(result), 0)
  )
  const n = (result: Document): number => asNumber(result.n) ?? 0
  return {
    nInserted: sum('insert', n),
    nUpserted: sum('update', ({ upserted }) => upserted === undefined ? 0 : 1),
    nMatched: sum('update', result => result.upserted === undefined ? n(result) : 0),
    nModified: sum('update', ({ nModified }) => asNumber(nModified) ?? 0),
    nDeleted: sum('delete', n)
  }
}
