import { isPlainDocument } from '../arguments.js'
import { CommandError, type Document } from '../semantics/index.js'
import type { Position } from '../storage/oplog.js'
import { decodePosition, encodePosition } from '../storage/oplog-record.js'

/** What a token stands behind: an event, the invalidation an event caused, a time without an event, or a part of an event. */
export type TokenKind = 'event' | 'invalidate' | 'time' | 'fragment'

const KINDS: TokenKind[] = ['event', 'invalidate', 'time', 'fragment']
const VERSION = 1

export interface ResumeToken {
  position: Position
  kind: TokenKind
  /** Of a fragment, its number from 1. */
  fragment?: number
}

export function encodeToken (token: ResumeToken): Document {
  const data = Buffer.concat([Buffer.from([VERSION]), encodePosition(token.position), Buffer.from([KINDS.indexOf(token.kind), ...(token.fragment === undefined ? [] : [token.fragment])])])
  return { _data: data.toString('hex').toUpperCase() }
}

/** @throws CommandError 260 for what is not one of our tokens */
export function decodeToken (value: unknown): ResumeToken {
  const data = isPlainDocument(value) ? value._data : undefined
  if (typeof data !== 'string') throw new CommandError(40647, 'Bad resume token: _data of missing or of wrong type')
  const bytes = Buffer.from(data, 'hex')
  const kind = KINDS[bytes[13] ?? -1]
  if (bytes.length !== (kind === 'fragment' ? 15 : 14) || bytes[0] !== VERSION || kind === undefined) throw new CommandError(260, `Invalid resume token: ${data}`)
  return { position: decodePosition(bytes.subarray(1, 13)), kind, ...(kind === 'fragment' && { fragment: bytes[14]! }) }
}
