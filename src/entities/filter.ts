import mongoose, { type mongo } from 'mongoose'
import { parseFilter, type Condition } from './filter-conditions.js'

/**
 * A client's filter as a MongoDB filter made of known operators and scalar operands only.
 * @param objectIds whether `id` is an ObjectId in the collection. Default true, as in events
 * @throws BAD_FILTER
 */
export function compileFilter (filter: unknown, { objectIds = true } = {}): mongo.Filter<mongo.Document> {
  const compiled: Record<string, Record<string, unknown>> = {}
  for (const { field, operator, operand } of parseFilter(filter)) {
    const stored = field === 'id' ? '_id' : field
    compiled[stored] = { ...compiled[stored], [operator]: field === 'id' && objectIds ? toObjectIds(operand) : operand }
  }
  return compiled
}

/** Ids as ObjectIds where they can be; others match nothing, as no document has them. */
function toObjectIds (operand: Condition['operand']): unknown {
  if (Array.isArray(operand)) return operand.map(toObjectIds)
  return typeof operand === 'string' && /^[0-9a-f]{24}$/i.test(operand) ? new mongoose.Types.ObjectId(operand) : operand
}
