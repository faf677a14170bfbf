import { CommandError, ErrorCodes, type Document } from '../semantics/index.js'
import { toBytes } from '../bytes.js'
import { decodeToken, encodeToken } from './resume-token.js'

/** The largest event handed out in one piece: a document may have 16 MiB, and replies have room for a little more. */
export const MAX_EVENT_BYTES = 16 * 1024 * 1024

/** Room for a fragment's own fields, `_id` and `splitEvent`. */
const FRAME_BYTES = 256

/** One thing a stream hands out, with the token to resume behind it. */
export interface Delivery { bytes: Buffer, token: Document }

/** @throws CommandError 10334 for an event too large to be handed out whole */
export function wholeEvent (event: Document, token: Document): Delivery {
  const bytes = encode(event)
  if (bytes.length > MAX_EVENT_BYTES) throw tooLarge(`BSONObj size: ${bytes.length}`)
  return { bytes, token }
}

/**
 * `$changeStreamSplitLargeEvent`: an event too large for one document, in fragments that hold some of its top-level
 * fields each. All but the last have tokens of their own; the last has the event's.
 */
export function splitEvent (event: Document, token: Document): Delivery[] {
  const { _id, ...fields } = event
  const sizes = Object.entries(fields).map(([name, value]) => ({ name, value, size: encode({ [name]: value }).length }))
  if (sizes.reduce((sum, { size }) => sum + size, FRAME_BYTES) <= MAX_EVENT_BYTES) return [wholeEvent(event, token)]
  const fragments: Document[] = []
  let room = 0
  for (const { name, value, size } of sizes) {
    if (size + FRAME_BYTES > MAX_EVENT_BYTES) throw tooLarge(`BSONObj size: ${size}`)
    if (size > room) {
      fragments.push({})
      room = MAX_EVENT_BYTES - FRAME_BYTES
    }
    fragments.at(-1)![name] = value
    room -= size
  }
  const { position } = decodeToken(token)
  return fragments.map((fragment, index) => {
    const own = index === fragments.length - 1 ? token : encodeToken({ position, kind: 'fragment', fragment: index + 1 })
    return { bytes: toBytes({ _id: own, splitEvent: { fragment: index + 1, of: fragments.length }, ...fragment }), token: own }
  })
}

function encode (doc: Document): Buffer {
  try {
    return toBytes(doc)
  } catch (error) {
    if (error instanceof CommandError && error.code === ErrorCodes.BSONObjectTooLarge) throw tooLarge('BSONObj size')
    throw error
  }
}

function tooLarge (subject: string): CommandError {
  return new CommandError(
    ErrorCodes.BSONObjectTooLarge,
    `Executor error during getMore :: caused by :: ${subject} is invalid. Size must be between 0 and ${MAX_EVENT_BYTES}(16MB)`,
    { errorLabels: ['NonResumableChangeStreamError'] }
  )
}
