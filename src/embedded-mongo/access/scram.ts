import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto'
import { CommandError, ErrorCodes } from '../semantics/index.js'

/**
 * The least that RFC 7677 allows. More would only slow down guessing, which 256 random bits already rule out.
 */
const ITERATIONS = 4_096
const KEY_BYTES = 32

/** What the server keeps of a password (RFC 5802, section 3): enough to check a proof, not to make one. */
export interface ScramCredentials { user: string, salt: Buffer, iterations: number, storedKey: Buffer, serverKey: Buffer }

export function makeCredentials (user: string, password: string): ScramCredentials {
  const salt = randomBytes(28)
  const salted = pbkdf2Sync(password, salt, ITERATIONS, KEY_BYTES, 'sha256')
  return { user, salt, iterations: ITERATIONS, storedKey: hash(hmac(salted, 'Client Key')), serverKey: hmac(salted, 'Server Key') }
}

/** The server's side of one SCRAM-SHA-256 exchange (RFC 5802 and 7677), without channel binding. */
export class ScramConversation {
  private readonly credentials: ScramCredentials
  private opening: { header: string, bare: string, nonce: string, reply: string } | undefined

  constructor (credentials: ScramCredentials) {
    this.credentials = credentials
  }

  /** Answers the client's first message. @throws CommandError 18 */
  start (message: string): string {
    const match = /^([ny],(?:a=[^,]*)?,)(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+))$/.exec(message)
    const [, header, bare, user, clientNonce] = match ?? []
    if (header === undefined || bare === undefined || user === undefined || decodeName(user) !== this.credentials.user) throw authenticationFailed()
    const nonce = `${clientNonce}${randomBytes(24).toString('base64')}`
    const reply = `r=${nonce},s=${this.credentials.salt.toString('base64')},i=${this.credentials.iterations}`
    this.opening = { header, bare, nonce, reply }
    return reply
  }

  /** Checks the client's proof and gives the server's own. @throws CommandError 18 */
  finish (message: string): string {
    const { opening, credentials } = this
    this.opening = undefined
    const [, unproven, binding, nonce, proof] = /^(c=([^,]+),r=([^,]+)),p=([^,]+)$/.exec(message) ?? []
    if (opening === undefined || unproven === undefined || proof === undefined) throw authenticationFailed()
    if (nonce !== opening.nonce || binding !== Buffer.from(opening.header).toString('base64')) throw authenticationFailed()
    const exchange = `${opening.bare},${opening.reply},${unproven}`
    const signature = hmac(credentials.storedKey, exchange)
    const clientKey = Buffer.from(proof, 'base64')
    if (clientKey.length !== signature.length) throw authenticationFailed()
    for (let at = 0; at < clientKey.length; at++) clientKey[at]! ^= signature[at]!
    if (!timingSafeEqual(hash(clientKey), credentials.storedKey)) throw authenticationFailed()
    return `v=${hmac(credentials.serverKey, exchange).toString('base64')}`
  }
}

export function authenticationFailed (): CommandError {
  return new CommandError(ErrorCodes.AuthenticationFailed, 'Authentication failed.')
}

function decodeName (name: string): string {
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=')
}

function hmac (key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function hash (bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}
