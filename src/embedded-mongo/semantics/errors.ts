import type { Document } from './types.js'

/** MongoDB's error codes that this server answers with, by name (mongo/base/error_codes.yml). */
export const ErrorCodes = {
  InternalError: 1,
  BadValue: 2,
  GraphContainsCycle: 5,
  FailedToParse: 9,
  UserNotFound: 11,
  Unauthorized: 13,
  TypeMismatch: 14,
  Overflow: 15,
  InvalidLength: 16,
  ProtocolError: 17,
  AuthenticationFailed: 18,
  IllegalOperation: 20,
  EmptyArrayOperation: 21,
  InvalidBSON: 22,
  AlreadyInitialized: 23,
  NamespaceNotFound: 26,
  IndexNotFound: 27,
  PathNotViable: 28,
  CannotCreateIndex: 67,
  ConflictingUpdateOperators: 40,
  CursorNotFound: 43,
  NamespaceExists: 48,
  DollarPrefixedFieldName: 52,
  InvalidIdField: 53,
  EmptyFieldName: 56,
  DottedFieldName: 57,
  CommandNotFound: 59,
  ImmutableField: 66,
  InvalidOptions: 72,
  InvalidNamespace: 73,
  IndexOptionsConflict: 85,
  IndexKeySpecsConflict: 86,
  OperationFailed: 96,
  WriteConflict: 112,
  CommandNotSupported: 115,
  DocumentValidationFailure: 121,
  CommandNotSupportedOnView: 166,
  InvalidPipelineOperator: 168,
  CannotIndexParallelArrays: 171,
  InvalidIndexSpecificationOption: 197,
  QueryFeatureNotAllowed: 224,
  ConversionFailure: 241,
  NoSuchTransaction: 251,
  ExceededMemoryLimit: 146,
  OperationNotSupportedInTransaction: 263,
  NoMatchingDocument: 47,
  MaxTimeMSExpired: 50,
  ConflictingOperationInProgress: 117,
  TransactionTooOld: 225,
  CursorKilled: 237,
  SnapshotTooOld: 239,
  TransactionCommitted: 256,
  InvalidResumeToken: 260,
  IndexBuildAborted: 276,
  ChangeStreamFatalError: 280,
  ChangeStreamHistoryLost: 286,
  APIVersionError: 322,
  APIStrictError: 323,
  MechanismUnavailable: 334,
  UnsupportedOpQueryCommand: 352,
  Interrupted: 11601,
  CursorInUse: 12051,
  OutOfDiskSpace: 14031,
  BSONObjectTooLarge: 10334,
  CappedPositionLost: 136,
  QueryPlanKilled: 175,
  DuplicateKey: 11000
} as const

const namesByCode = new Map<number, string>(Object.entries(ErrorCodes).map(([name, code]) => [code, name]))

/** The codeName MongoDB gives to a code; numbered assertions are `Location<code>`. */
export function codeNameOf (code: number): string {
  return namesByCode.get(code) ?? `Location${code}`
}

/** A command or a write that failed, in MongoDB's words: what the driver gets as `code`, `codeName`, `errmsg`. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly code: number
  readonly codeName: string
  errorLabels?: string[]
  details?: Document

  constructor (code: number, message: string, extra: { errorLabels?: string[], details?: Document } = {}) {
    super(message)
    this.code = code
    this.codeName = codeNameOf(code)
    if (extra.errorLabels !== undefined) this.errorLabels = extra.errorLabels
    if (extra.details !== undefined) this.details = extra.details
  }
}

export function badValue (message: string): CommandError {
  return new CommandError(ErrorCodes.BadValue, message)
}

export function failedToParse (message: string): CommandError {
  return new CommandError(ErrorCodes.FailedToParse, message)
}

export function typeMismatch (message: string): CommandError {
  return new CommandError(ErrorCodes.TypeMismatch, message)
}
