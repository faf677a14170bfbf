import { PitwallError } from '../errors.js'
import { parseJson, type InputLimits } from '../json-input.js'
import { closeCodes, type Connection } from './connection.js'
import { handlersOf, type Incoming } from './dialects/index.js'
import type { Hub } from './hub.js'

// Bad messages in a row after which a client is taken to be broken.
const MOST_FAULTS = 20
// Messages of one connection that may be worked on at once.
const MOST_BUSY = 1000

/** Reads what clients send: parses, finds the handler, answers. */
export class MessageReader {
  readonly #hub: Hub
  readonly #limits: InputLimits

  constructor (hub: Hub, limits: InputLimits) {
    this.#hub = hub
    this.#limits = limits
  }

  /** One text frame. */
  read (connection: Connection, text: string): void {
    connection.alive = true
    let parsed: unknown
    try {
      parsed = parseJson(text, this.#limits, 'message')
    } catch (error) {
      if (this.#admit(connection)) this.refuse(connection, this.#hub.toError(error))
      return
    }
    if (Array.isArray(parsed) && parsed.length > 0 && connection.protocol === 'pitwall.v1+batch') {
      for (const message of parsed) this.#handle(connection, message, Math.ceil(text.length / parsed.length))
    } else this.#handle(connection, parsed, text.length)
  }

  /** Answers with an error; too many bad messages in a row close the socket. */
  refuse (connection: Connection, error: PitwallError, id?: string): void {
    sendError(connection, error, id)
    if (error.status >= 500) return
    connection.faults++
    if (connection.faults >= MOST_FAULTS) connection.close(closeCodes.policyViolation, 'too many bad messages')
  }

  #admit (connection: Connection): boolean {
    connection.received++
    if (connection.spendToken()) return connection.transport.open
    if (!connection.transport.open) return false
    sendError(connection, new PitwallError('TOO_MANY_REQUESTS', connection.describeRate(), { retryAfter: 1 }))
    connection.close(closeCodes.tooManyMessages, 'too many messages')
    return false
  }

  #handle (connection: Connection, parsed: unknown, bytes: number): void {
    if (!this.#admit(connection)) return
    const id = readId(parsed)
    try {
      if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
        throw new PitwallError('VALIDATION_FAILED', 'A message is a JSON object')
      }
      if (connection.busy >= MOST_BUSY) {
        throw new PitwallError('OVERLOADED', `${MOST_BUSY} of your messages are being worked on; wait for their replies`, { retryAfter: 1 })
      }
      const message = parsed as Incoming
      const done = handlersOf(connection)(this.#hub, connection, message, bytes)
      if (done) this.#await(connection, done, id)
      else connection.faults = 0
    } catch (error) {
      this.#fail(connection, error, id)
    }
  }

  #await (connection: Connection, done: Promise<void>, id: string | undefined): void {
    connection.busy++
    // One promise for each message, not three: there are many of them.
    done.then(() => {
      connection.busy--
      connection.faults = 0
    }, (error: unknown) => {
      connection.busy--
      this.#answerFailure(connection, error, id)
    })
  }

  #answerFailure (connection: Connection, thrown: unknown, id: string | undefined): void {
    try {
      this.#fail(connection, thrown, id)
    } catch (error) {
      this.#hub.logger.error({ err: error }, 'answering a message failed')
    }
  }

  #fail (connection: Connection, thrown: unknown, id: string | undefined): void {
    const error = this.#hub.toError(thrown)
    // What a client may try again is no fault to look into; a flood of it must not become one of log lines.
    if (error.code === 'INTERNAL') this.#hub.logger.error({ err: thrown, sessionId: connection.sessionId }, 'message failed')
    this.refuse(connection, error, id)
  }
}

function sendError (connection: Connection, { code, message, errors, retryAfter }: PitwallError, id?: string): void {
  connection.send({
    type: 'error',
    ...(id !== undefined && { id }),
    payload: { code, message, ...(errors && { errors }), ...(retryAfter !== undefined && { retryAfter }) }
  })
}

/** The id that a reply must carry. */
function readId (message: unknown): string | undefined {
  const { id } = (message ?? {}) as { id?: unknown }
  return typeof id === 'string' && id.length <= 128 ? id : undefined
}
