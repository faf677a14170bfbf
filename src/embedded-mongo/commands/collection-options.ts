import { Int32, Long } from 'bson'
import { asNumber, isPlainDocument, optionalDocument, optionalInteger } from '../arguments.js'
import { CommandError, ErrorCodes, compileFilter, type Document } from '../semantics/index.js'
import type { Collection } from '../storage/collection.js'

/** MongoDB's bounds of a capped collection: a petabyte, and a 32-bit number of documents. */
const MOST_BYTES = 2 ** 50
const MOST_DOCUMENTS = 2 ** 31 - 1

/** Checks and rounds `capped`, `size` and `max` in place. @throws CommandError 14, 72, 51024 */
export function readCappedLimits (options: Document): void {
  if (options.capped !== undefined && typeof options.capped !== 'boolean' && asNumber(options.capped) === undefined) {
    throw new CommandError(ErrorCodes.TypeMismatch, "BSON field 'create.capped' is the wrong type, expected types '[bool, long, int, decimal, double]'")
  }
  const isCapped = options.capped === true || (asNumber(options.capped) ?? 0) !== 0
  const size = optionalInteger(options, 'size')
  const max = optionalInteger(options, 'max')
  if (!isCapped) {
    if (size !== undefined || max !== undefined) {
      throw new CommandError(ErrorCodes.InvalidOptions, "the 'capped' field needs to be true when either the 'size' or 'max' fields are present")
    }
    delete options.capped
    return
  }
  if (size === undefined) throw new CommandError(ErrorCodes.InvalidOptions, "the 'size' field is required when 'capped' is true")
  options.capped = true
  options.size = cappedSize('create.size', size)
  if (max !== undefined) options.max = cappedMax('create.max', max)
}

/** MongoDB rounds the size up to a multiple of 256. */
function cappedSize (field: string, size: number): Int32 | Long {
  if (!(size >= 1 && size <= MOST_BYTES)) throw outOfBounds(field, size, 1, MOST_BYTES)
  const rounded = Math.ceil(size / 256) * 256
  return rounded > 0x7FFFFFFF ? Long.fromNumber(rounded) : new Int32(rounded)
}

function cappedMax (field: string, max: number): Int32 | undefined {
  if (max > MOST_DOCUMENTS) throw outOfBounds(field, max, 0, MOST_DOCUMENTS)
  return max <= 0 ? undefined : new Int32(max)
}

function outOfBounds (field: string, value: number, least: number, most: number): CommandError {
  return new CommandError(51024, `BSON field '${field}' value must be ${value < least ? `>= ${least}` : `<= ${most}`}, actual value '${value}'`)
}

/** What a collMod changes among a collection's options. @throws CommandError 72, 115 */
export function readCollMod (collection: Collection, body: Document): Document {
  const changes: Document = {}
  for (const option of ['timeseries', 'dryRun']) {
    if (body[option] !== undefined) throw new CommandError(ErrorCodes.CommandNotSupported, `collMod's '${option}' is not supported`)
  }
  for (const option of ['validator', 'validationLevel', 'validationAction', 'changeStreamPreAndPostImages']) {
    if (body[option] !== undefined) changes[option] = body[option]
  }
  if (isPlainDocument(body.validator)) compileFilter(body.validator)
  const isViewChange = body.viewOn !== undefined || body.pipeline !== undefined
  if (isViewChange && !collection.isView) throw new CommandError(ErrorCodes.InvalidOptions, "'viewOn' and 'pipeline' are only valid on a view")
  if (isViewChange) Object.assign(changes, { ...(body.viewOn !== undefined && { viewOn: body.viewOn }), ...(body.pipeline !== undefined && { pipeline: body.pipeline }) })
  const size = optionalInteger(body, 'cappedSize')
  const max = optionalInteger(body, 'cappedMax')
  if ((size !== undefined || max !== undefined) && !collection.isCapped) throw new CommandError(ErrorCodes.InvalidOptions, 'Collection must be capped.')
  if (size !== undefined) changes.size = cappedSize('collMod.cappedSize', size)
  if (max !== undefined) changes.max = cappedMax('collMod.cappedMax', max)
  if (body.expireAfterSeconds !== undefined) changes.expireAfterSeconds = expireAfterSeconds(collection, body.expireAfterSeconds)
  return changes
}

/** Seconds until documents of a clustered or time series collection expire; undefined for `'off'`. */
function expireAfterSeconds ({ options }: Collection, value: unknown): unknown {
  if (optionalDocument(options, 'timeseries') === undefined && options.clusteredIndex === undefined) {
    throw new CommandError(ErrorCodes.InvalidOptions, "'expireAfterSeconds' is only supported on time-series collections or when the 'clusteredIndex' option is specified")
  }
  const seconds = asNumber(value)
  if (value !== 'off' && (seconds === undefined || seconds < 0)) throw new CommandError(ErrorCodes.InvalidOptions, "'expireAfterSeconds' must be a non-negative number or 'off'")
  return value === 'off' ? undefined : value
}
