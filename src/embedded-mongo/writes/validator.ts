import { CommandError, ErrorCodes, compileFilter, type Document } from '../semantics/index.js'
import type { Collection } from '../storage/collection.js'

const compiled = new WeakMap<Document, (doc: Document) => boolean>()

/** Refuses a document that the collection's validator does not take. @throws CommandError 121 */
export function assertValid (collection: Collection, document: { readonly doc: Document }, bypass: boolean, before?: Document): void {
  const { validator, validationAction, validationLevel } = collection.options
  if (bypass || validator === undefined || validationAction === 'warn' || validationLevel === 'off') return
  const rules = validator as Document
  let matches = compiled.get(rules)
  if (matches === undefined) compiled.set(rules, matches = compileFilter(rules, collection.collation === undefined ? {} : { collation: collection.collation }))
  // Looked into only here: a document that nothing judges is never decoded.
  const { doc } = document
  if (matches(doc)) return
  // Moderate validation lets alone what was not valid before.
  if (before !== undefined && validationLevel === 'moderate' && !matches(before)) return
  throw new CommandError(ErrorCodes.DocumentValidationFailure, 'Document failed validation', {
    details: { errInfo: { failingDocumentId: doc._id, details: { operatorName: Object.keys(rules)[0] ?? '', reason: 'document did not match the validator' } } }
  })
}
