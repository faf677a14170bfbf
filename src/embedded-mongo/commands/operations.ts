import { asNumber } from '../arguments.js'
import { CommandError, ErrorCodes, compileFilter, type Document } from '../semantics/index.js'
import type { Handler } from './context.js'

/** Fields of currentOp that are options; all others filter. */
const OPTIONS = new Set(['currentOp', '$all', '$ownOps', 'comment', '$db', 'lsid', '$clusterTime', '$readPreference'])

export const currentOp: Handler = ({ engine, body }) => {
  const filter: Document = Object.fromEntries(Object.entries(body).filter(([field]) => !OPTIONS.has(field)))
  return { fields: { inprog: engine.operations.describe().filter(compileFilter(filter)) } }
}

export const killOp: Handler = ({ engine, body }) => {
  const id = asNumber(body.op)
  if (id === undefined) throw new CommandError(ErrorCodes.FailedToParse, 'Did not provide "op" field')
  engine.operations.stop(id)
  return { fields: { info: 'attempting to kill op' } }
}
