/** One table of error codes for REST and WebSocket: code → HTTP status and title. */
export const errorTable = {
  BAD_REQUEST: [400, 'Bad request'],
  VALIDATION_FAILED: [400, 'Validation failed'],
  INVALID_JSON: [400, 'Invalid JSON'],
  BAD_CURSOR: [400, 'Bad cursor'],
  BAD_FILTER: [400, 'Bad filter'],
  RESERVED_FIELD: [400, 'Reserved field'],
  RESERVED_TYPE: [400, 'Reserved type'],
  UNKNOWN_TYPE: [400, 'Unknown message type'],
  UNKNOWN_CHANNEL: [400, 'Unknown channel'],
  CLOCK_SKEW: [400, 'Clock too far ahead'],
  UNAUTHORIZED: [401, 'Authentication required'],
  INVALID_CREDENTIALS: [401, 'Invalid credentials'],
  FORBIDDEN: [403, 'Not allowed'],
  ORIGIN_NOT_ALLOWED: [403, 'Origin not allowed'],
  HOST_NOT_ALLOWED: [403, 'Host not allowed'],
  NOT_FOUND: [404, 'Not found'],
  METHOD_NOT_ALLOWED: [405, 'Method not allowed'],
  ALREADY_EXISTS: [409, 'Already exists'],
  CONFLICT: [409, 'Conflict'],
  IDEMPOTENCY_IN_PROGRESS: [409, 'Request with this key still running'],
  PRECONDITION_FAILED: [412, 'Precondition failed'],
  PAYLOAD_TOO_LARGE: [413, 'Payload too large'],
  UNSUPPORTED_MEDIA_TYPE: [415, 'Unsupported media type'],
  IDEMPOTENCY_MISMATCH: [422, 'Idempotency key reused with another body'],
  TOO_MANY_REQUESTS: [429, 'Too many requests'],
  LIMIT_EXCEEDED: [429, 'Limit exceeded'],
  INTERNAL: [500, 'Internal error'],
  NOT_IMPLEMENTED: [501, 'Not implemented'],
  STORE_UNAVAILABLE: [503, 'Store unavailable'],
  OVERLOADED: [503, 'Overloaded'],
  DRAINING: [503, 'Shutting down']
} as const satisfies Record<string, readonly [number, string]>

export type ErrorCode = keyof typeof errorTable

/** One fault in a body, query or message. `path` is a JSON pointer, '' for the whole. */
export interface FieldError { path: string, message: string }

export interface PitwallErrorOptions {
  /** What was wrong, field by field. */
  errors?: FieldError[]
  /** Seconds after which a retry makes sense. */
  retryAfter?: number
  cause?: unknown
}

/**
 * An error that may be shown to a client: its message names what was wrong and holds
 * no secret, stack or driver text. Thrown anywhere below the routes and sockets;
 * turned into problem+json or an `error` message in one place each.
 */
export class PitwallError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly title: string
  readonly errors?: FieldError[]
  readonly retryAfter?: number

  constructor (code: ErrorCode, message: string, options: PitwallErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'PitwallError'
    this.code = code
    const [status, title] = errorTable[code]
    this.status = status
    this.title = title
    if (options.errors) this.errors = options.errors
    if (options.retryAfter !== undefined) this.retryAfter = options.retryAfter
  }
}
