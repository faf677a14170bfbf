import { Binary, Int32 } from 'bson'
import { isPlainDocument } from '../arguments.js'
import { CommandError, ErrorCodes, type Document } from '../semantics/index.js'
import { ScramConversation, authenticationFailed, type ScramCredentials } from './scram.js'

export const MECHANISM = 'SCRAM-SHA-256'
const CONVERSATION_ID = 1

/** Commands answered before a login, as MongoDB answers them. */
const PUBLIC = new Set(['hello', 'isMaster', 'ismaster', 'ping', 'buildInfo', 'buildinfo', 'connectionStatus', 'whatsmyuri', 'saslStart', 'saslContinue', 'logout'])

/** Who a connection has shown to be; on a listener without a login everything is allowed. */
export class Authentication {
  readonly isRequired: boolean
  private readonly credentials: ScramCredentials | undefined
  private conversation: { scram: ScramConversation, skipsEmptyExchange: boolean, isProven: boolean } | undefined
  private isLoggedIn = false

  constructor (credentials: ScramCredentials | undefined) {
    this.credentials = credentials
    this.isRequired = credentials !== undefined
  }

  /** The user's name, once logged in. */
  get user (): string | undefined {
    return this.isLoggedIn ? this.credentials?.user : undefined
  }

  /** @throws CommandError 13 before the login */
  assertAllowed (command: string): void {
    if (!this.isRequired || this.isLoggedIn || PUBLIC.has(command)) return
    throw new CommandError(ErrorCodes.Unauthorized, `Command ${command} requires authentication`)
  }

  /** `saslStart`. @throws CommandError 18 for another user, 334 for another mechanism */
  start (command: Document): Document {
    this.conversation = undefined
    if (command.mechanism !== MECHANISM) {
      throw new CommandError(ErrorCodes.MechanismUnavailable, `Received authentication for mechanism ${String(command.mechanism)} which is unknown or not enabled`)
    }
    if (this.credentials === undefined) throw authenticationFailed()
    const scram = new ScramConversation(this.credentials)
    const reply = scram.start(payloadOf(command))
    this.conversation = { scram, skipsEmptyExchange: isPlainDocument(command.options) && command.options.skipEmptyExchange === true, isProven: false }
    return step(reply, false)
  }

  /** `saslContinue`. @throws CommandError 17 without a conversation, 18 for a wrong password */
  continue (command: Document): Document {
    const { conversation } = this
    if (conversation === undefined || Number(command.conversationId) !== CONVERSATION_ID) throw new CommandError(ErrorCodes.ProtocolError, 'No SASL session state found')
    // It goes on only where this step succeeds.
    this.conversation = undefined
    if (conversation.isProven) return this.succeed('')
    const reply = conversation.scram.finish(payloadOf(command))
    if (conversation.skipsEmptyExchange) return this.succeed(reply)
    this.conversation = { ...conversation, isProven: true }
    return step(reply, false)
  }

  logOut (): void {
    this.isLoggedIn = false
    this.conversation = undefined
  }

  private succeed (reply: string): Document {
    this.isLoggedIn = true
    return step(reply, true)
  }
}

function step (payload: string, done: boolean): Document {
  return { conversationId: new Int32(CONVERSATION_ID), done, payload: new Binary(Buffer.from(payload)) }
}

function payloadOf ({ payload }: Document): string {
  if (payload instanceof Binary) return Buffer.from(payload.buffer).toString('utf8')
  if (typeof payload === 'string') return Buffer.from(payload, 'base64').toString('utf8')
  throw new CommandError(ErrorCodes.TypeMismatch, "BSON field 'payload' must be binary data")
}
