import mongoose, { type mongo } from 'mongoose'
import { PitwallError } from '../errors.js'

/** How a list is ordered: a field and a direction. */
export interface SortOrder { field: string, descending: boolean }

/** Where a page ended: the sort field's value and the id of its last document. */
export interface PageEnd { value: unknown, id: string }

type Position = { s: string, v?: unknown, d?: number, i: string }

/**
 * Reads `name` or `-name`.
 * @throws BAD_REQUEST naming the fields that may be sorted by
 */
export function parseSort (sort: string, sortable: readonly string[]): SortOrder {
  const descending = sort.startsWith('-')
  const field = descending ? sort.slice(1) : sort
  if (!sortable.includes(field)) {
    throw new PitwallError('BAD_REQUEST', `sort was given "${sort}"; allowed: ${sortable.join(', ')}, with a leading - for descending order`)
  }
  return { field, descending }
}

/** Opaque cursor of a page's end; says nothing a client of the list could not see. */
export function encodePageEnd ({ field, descending }: SortOrder, { value, id }: PageEnd): string {
  const position: Position = { s: `${descending ? '-' : ''}${field}`, i: id }
  if (value instanceof Date) position.d = value.getTime()
  else position.v = value ?? null
  return Buffer.from(JSON.stringify(position)).toString('base64url')
}

/** @throws BAD_CURSOR when it is malformed or belongs to another order */
export function decodePageEnd (cursor: string, { field, descending }: SortOrder): PageEnd {
  const position = parsePosition(cursor)
  if (position?.s !== `${descending ? '-' : ''}${field}`) {
    throw new PitwallError('BAD_CURSOR', 'cursor is not one that this list gave out for this sort')
  }
  return { value: position.d === undefined ? position.v : new Date(position.d), id: position.i }
}

function parsePosition (cursor: string): Position | null {
  if (!/^[A-Za-z0-9_-]{1,1024}$/.test(cursor)) return null
  let position: unknown
  try {
    position = JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    return null
  }
  if (typeof position !== 'object' || position === null) return null
  const { s, v, d, i } = position as Record<string, unknown>
  if (typeof s !== 'string' || typeof i !== 'string') return null
  if (d !== undefined) return typeof d === 'number' && Math.abs(d) <= 8.64e15 ? { s, d, i } : null
  return v === null || ['string', 'number', 'boolean'].includes(typeof v) ? { s, v, i } : null
}

/**
 * Filter for what follows a page in its order. The bound outside `$or` lets an index on
 * the sort field start where the page ended; documents without the field sort first.
 */
export function afterPage ({ field, descending }: SortOrder, end: PageEnd, id: unknown): mongo.Filter<mongo.Document> {
  const beyond = descending ? '$lt' : '$gt'
  if (end.value === null) {
    const same = { [field]: null, _id: { [beyond]: id } }
    return descending ? same : { $or: [same, { [field]: { $ne: null } }] }
  }
  const following: mongo.Filter<mongo.Document>[] = [{ [field]: { [beyond]: end.value } }, { [field]: end.value, _id: { [beyond]: id } }]
  const alwaysThere = field === 'createdAt' || field === 'updatedAt'
  if (descending && !alwaysThere) return { $or: [...following, { [field]: null }] }
  return { [field]: { [`${beyond}e`]: end.value }, $or: following }
}

/** An `_id` as the collection stores it; null when the text cannot be one. */
export function toStoredId (id: string, objectIds: boolean): mongoose.Types.ObjectId | string | null {
  if (!objectIds) return id
  return /^[0-9a-f]{24}$/i.test(id) ? new mongoose.Types.ObjectId(id) : null
}
