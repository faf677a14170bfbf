import { compilePredicate } from '../entities/filter-predicate.js'

type Fields = Record<string, unknown>

/**
 * A subscriber's filter, with FETCH's meaning, as a test of a message's data: of its own
 * fields and, where it wraps a document or values, of theirs.
 * @throws BAD_FILTER
 */
export function compileMessageFilter (filter: Fields): (data: unknown) => boolean {
  const matches = compilePredicate(filter)
  return (data) => {
    if (typeof data !== 'object' || data === null || Array.isArray(data)) return false
    const fields = data as Fields
    // Whoever saw a document before must hear of its end, which carries no fields to test.
    if (fields.action === 'deleted' && fields.document === undefined) return true
    const inner = fields.document ?? fields.values
    return matches(typeof inner === 'object' && inner !== null ? { ...inner, ...fields } : fields)
  }
}
