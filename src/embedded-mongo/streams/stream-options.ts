import { isPlainDocument, optionalBoolean, optionalTimestamp } from '../arguments.js'
import type { Engine } from '../engine.js'
import { CommandError, ErrorCodes, type Document } from '../semantics/index.js'
import { fromTimestamp, type ClusterTime } from '../storage/cluster-time.js'
import { END_OF_TIME, type Position } from '../storage/oplog.js'
import { decodeToken, type TokenKind } from './resume-token.js'

export type ImageMode = 'off' | 'whenAvailable' | 'required'

export interface StreamOptions {
  start: Position
  /** Kind of the token that the stream starts behind, if it was one. */
  startKind: TokenKind
  /** Fragments of the first event that were handed out before. */
  skipFragments: number
  fullDocument: 'default' | 'updateLookup' | 'whenAvailable' | 'required'
  before: ImageMode
  showExpanded: boolean
  allForCluster: boolean
}

const KNOWN = new Set([
  'fullDocument', 'fullDocumentBeforeChange', 'resumeAfter', 'startAfter', 'startAtOperationTime', 'showExpandedEvents', 'allChangesForCluster',
  'showSystemEvents', 'showMigrationEvents', 'allowToRunOnConfigDB', 'showRawUpdateDescription'
])

/** Reads the options of `$changeStream`. @throws CommandError 286 if the log no longer reaches back to the start */
export function readStreamOptions (engine: Engine, spec: unknown): StreamOptions {
  if (!isPlainDocument(spec)) throw new CommandError(50808, '$changeStream stage expects a document as argument')
  const unknown = Object.keys(spec).find(name => !KNOWN.has(name))
  if (unknown !== undefined) throw new CommandError(40415, `BSON field '$changeStream.${unknown}' is an unknown field.`)
  const starts = ['resumeAfter', 'startAfter', 'startAtOperationTime'].filter(name => spec[name] !== undefined)
  if (starts.length > 1) throw new CommandError(40674, `Only one type of resume option is allowed, but multiple were found: ${starts.join(', ')}`)
  const { start, kind, fragment = 0 } = readStart(engine, spec)
  if (engine.oplog.isTrimmed(start)) throw historyLost()
  return {
    start,
    startKind: kind,
    skipFragments: fragment,
    fullDocument: oneOf(spec, 'fullDocument', ['default', 'updateLookup', 'whenAvailable', 'required']),
    before: oneOf(spec, 'fullDocumentBeforeChange', ['off', 'whenAvailable', 'required']),
    showExpanded: optionalBoolean(spec, 'showExpandedEvents') ?? false,
    allForCluster: optionalBoolean(spec, 'allChangesForCluster') ?? false
  }
}

function readStart (engine: Engine, spec: Document): { start: Position, kind: TokenKind, fragment?: number } {
  const time = optionalTimestamp(spec, 'startAtOperationTime')
  if (time !== undefined) return { start: { time: justBefore(fromTimestamp(time)), index: END_OF_TIME }, kind: 'time' }
  const token = spec.startAfter ?? spec.resumeAfter
  if (token === undefined) return { start: { time: engine.oplog.clock.now, index: END_OF_TIME }, kind: 'time' }
  const { position, kind, fragment } = decodeToken(token)
  if (fragment !== undefined) return { start: placeBefore(position), kind, fragment }
  if (kind === 'invalidate' && spec.resumeAfter !== undefined) {
    throw new CommandError(260, "Attempting to resume a change stream using 'resumeAfter' is not allowed from an invalidate notification.")
  }
  return { start: position, kind }
}

/** The place from which the event at `position` is the next. */
export function placeBefore ({ time, index }: Position): Position {
  return index === 0 ? { time: justBefore(time), index: END_OF_TIME } : { time, index: index - 1 }
}

function justBefore ({ seconds, increment }: ClusterTime): ClusterTime {
  return increment > 0 ? { seconds, increment: increment - 1 } : { seconds: Math.max(0, seconds - 1), increment: END_OF_TIME }
}

function oneOf<Value extends string> (spec: Document, name: string, values: [Value, ...Value[]]): Value {
  const value = spec[name]
  if (value === undefined) return values[0]
  const found = values.find(allowed => allowed === value)
  if (found === undefined) throw new CommandError(ErrorCodes.BadValue, `Enumeration value '${String(value)}' for field '$changeStream.${name}' is not a valid value.`)
  return found
}

export function historyLost (): CommandError {
  return new CommandError(
    ErrorCodes.ChangeStreamHistoryLost,
    'Resume of change stream was not possible, as the resume point may no longer be in the oplog.',
    { errorLabels: ['NonResumableChangeStreamError'] }
  )
}
