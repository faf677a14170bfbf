import { Int32 } from 'bson'
import { asNumber, isPlainDocument, optionalDocument } from '../arguments.js'
import { CommandError, ErrorCodes, type Document } from '../semantics/index.js'
import { unknownField } from './known-fields.js'

const LEVELS = new Set(['local', 'majority', 'linearizable', 'available', 'snapshot'])
const WRITE_FIELDS = new Set(['w', 'j', 'wtimeout', 'fsync', 'getLastError', 'provenance'])
/** MongoDB's largest number of members. */
const MOST_MEMBERS = 50

/** A command's read concern. @throws CommandError 2, 72 */
export function readConcernOf (body: Document): Document | undefined {
  const concern = optionalDocument(body, 'readConcern')
  if (concern === undefined) return undefined
  const { level } = concern
  if (level !== undefined && (typeof level !== 'string' || !LEVELS.has(level))) {
    throw new CommandError(ErrorCodes.BadValue, `Enumeration value '${String(level)}' for field 'readConcern.level' is not a valid value.`)
  }
  if (concern.atClusterTime !== undefined && level !== 'snapshot') {
    throw new CommandError(ErrorCodes.InvalidOptions, "readConcern.atClusterTime may only be specified with level 'snapshot'")
  }
  return concern
}

/**
 * What a write's reply says if its write concern asks for more than the one member there is. The write itself is made
 * and flushed in any case: that meets every concern of one member.
 * @throws CommandError 9, 40415
 */
export function writeConcernError (body: Document): Document | undefined {
  const concern = optionalDocument(body, 'writeConcern')
  if (concern === undefined) return undefined
  for (const field in concern) if (!WRITE_FIELDS.has(field)) throw unknownField(`writeConcern.${field}`)
  const { w } = concern
  if (typeof w === 'string') {
    if (w === 'majority') return undefined
    return { code: new Int32(79), codeName: 'UnknownReplWriteConcern', errmsg: `No write concern mode named '${w}' found in replica set configuration` }
  }
  if (w === undefined || isPlainDocument(w)) return undefined
  const members = asNumber(w)
  if (members === undefined || members < 0 || members > MOST_MEMBERS) {
    throw new CommandError(ErrorCodes.FailedToParse, `w has to be a non-negative number and not greater than ${MOST_MEMBERS}; found: ${String(w)}`)
  }
  if (members <= 1) return undefined
  return { code: new Int32(100), codeName: 'UnsatisfiableWriteConcern', errmsg: 'Not enough data-bearing nodes' }
}
