import { Int32 } from 'bson'
import { isPlainDocument, optionalBoolean, optionalDocument } from '../arguments.js'
import { filterOptions } from '../query/read-documents.js'
import { CommandError, ErrorCodes, compileProjection, type Document } from '../semantics/index.js'
import { runStatements } from '../writes/run-statements.js'
import { DeleteStatement, UpdateStatement } from '../writes/statements.js'
import type { Handler } from './context.js'
import { targetOf } from './write.js'

export const findAndModify: Handler = async context => {
  const { body } = context
  const remove = optionalBoolean(body, 'remove') ?? false
  const wantsNew = optionalBoolean(body, 'new') ?? false
  const upsert = optionalBoolean(body, 'upsert') ?? false
  if (remove && body.update !== undefined) throw new CommandError(ErrorCodes.FailedToParse, 'Cannot specify both an update and remove=true')
  if (!remove && body.update === undefined) throw new CommandError(ErrorCodes.FailedToParse, 'Either an update or remove=true must be specified')
  if (remove && upsert) throw new CommandError(ErrorCodes.FailedToParse, 'Cannot specify both upsert=true and remove=true')
  if (remove && wantsNew) throw new CommandError(ErrorCodes.FailedToParse, "Cannot specify both new=true and remove=true; 'remove' always returns the deleted document")
  const target = targetOf(context)
  const project = compileFields(body)
  const progress = await runStatements(context, {
    count: 1,
    ordered: true,
    make: () => remove ? new DeleteStatement(target, readChange(body)) : new UpdateStatement(target, { ...readChange(body), ...readUpdate(body), upsert }),
    report: (_index, { result }, { results }) => {
      const stored = wantsNew || result.upsertedId !== undefined ? (wantsNew ? result.after : undefined) : result.before
      const value = stored === undefined ? null : project(stored.doc)
      const found = result.matched > 0 || result.upsertedId !== undefined
      const last: Document = { n: new Int32(found ? 1 : 0) }
      if (!remove) last.updatedExisting = result.matched > 0
      if (result.upsertedId !== undefined) last.upserted = result.upsertedId
      results.push({ lastErrorObject: last, value })
    }
  })
  const [error] = progress.errors
  if (error !== undefined) {
    const { code, errmsg, index: _index, ...details } = error
    throw new CommandError(Number(code), `Plan executor error during findAndModify :: caused by :: ${String(errmsg)}`, { details })
  }
  return { fields: progress.results[0]! }
}

function readChange (body: Document): ConstructorParameters<typeof DeleteStatement>[1] {
  const sort = optionalDocument(body, 'sort')
  return {
    filter: optionalDocument(body, 'query') ?? {},
    multi: false,
    sort: sort !== undefined && Object.keys(sort).length > 0 ? sort : undefined,
    hint: body.hint,
    collation: optionalDocument(body, 'collation'),
    let: optionalDocument(body, 'let')
  }
}

function readUpdate (body: Document): { update: Document | Document[], arrayFilters: Document[] | undefined } {
  const { update, arrayFilters } = body
  if (!isPlainDocument(update) && !Array.isArray(update)) throw new CommandError(ErrorCodes.FailedToParse, 'Update argument must be either an object or an array')
  return { update: update as Document | Document[], arrayFilters: arrayFilters as Document[] | undefined }
}

function compileFields (body: Document): (doc: Document) => Document {
  const fields = optionalDocument(body, 'fields')
  if (fields === undefined || Object.keys(fields).length === 0) return doc => doc
  return compileProjection(fields, { ...filterOptions({ let: optionalDocument(body, 'let') }), filter: optionalDocument(body, 'query') ?? {} })
}
