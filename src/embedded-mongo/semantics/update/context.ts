import type { Document } from '../types.js'
import { describe } from '../match/type-tests.js'

/** What a modifier may know besides the old value. */
export interface ModifyContext {
  /** The document as it was before the update. */
  before: Document
  isInsert: boolean
  /** The array index that the query matched, −1 if none. */
  matchedIndex: () => number
}

/** The new value of a place, or undefined for none (removed, or left missing). The old value is never changed. */
export type Modify = (old: unknown, context: ModifyContext) => unknown

/** `{_id: …}`, as error messages name a document. */
export function describeId ({ before }: ModifyContext): string {
  return before._id === undefined ? '{ no _id }' : `{_id: ${describe(before._id)}}`
}
