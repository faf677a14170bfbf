import { createHash } from 'node:crypto'
import { PitwallError } from '../errors.js'

/** Strong entity tag (RFC 9110, 8.8.3) of a document as clients see it: the same content at the same update, the same tag. */
export function entityTag (document: object): string {
  return `"${createHash('sha256').update(JSON.stringify(document)).digest('base64url').slice(0, 27)}"`
}

/**
 * Compares an `If-Match` header with a document's tag: `*`, or a list of tags. A `W/`
 * that a compressing proxy put in front does not count.
 * @throws PRECONDITION_FAILED when none matches
 */
export function requireMatch (ifMatch: string, document: object): void {
  if (ifMatch.trim() === '*') return
  const tag = entityTag(document)
  const given = ifMatch.split(',').map((part) => part.trim().replace(/^W\//, ''))
  if (!given.includes(tag)) {
    throw new PitwallError('PRECONDITION_FAILED', `The document has changed; it is now ${tag}`)
  }
}
