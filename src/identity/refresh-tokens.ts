import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { deriveKey, equalSecrets, signValue } from './secrets.js'

export interface RefreshTokens {
  /** A new token of a session: 256 random bits and a mark that it is of this server's making. */
  create (sessionId: string): string
  /** The session a token names; `genuine` when this server made it. Null when it is not a refresh token. */
  read (token: string): { sessionId: string, genuine: boolean } | null
}

const form = /^pwr_([0-9a-f]{24})\.([\w-]{43})\.([\w-]{22})$/

/**
 * Refresh tokens: `pwr_SESSION.RANDOM.MARK`. The mark tells a token that was used before
 * from one that somebody made up, so that knowing a session's id is not enough to end it.
 */
export function createRefreshTokens (secret: string): RefreshTokens {
  const key = deriveKey(secret, 'refresh token')
  const mark = (sessionId: string, random: string) => signValue(key, `${sessionId}.${random}`).slice(0, 22)
  return {
    create (sessionId) {
      const random = randomBytes(32).toString('base64url')
      return `pwr_${sessionId}.${random}.${mark(sessionId, random)}`
    },
    read (token) {
      const [, sessionId, random, given] = form.exec(token) ?? []
      if (sessionId === undefined || random === undefined || given === undefined) return null
      return { sessionId, genuine: equalSecrets(given, mark(sessionId, random)) }
    }
  }
}

/** Encrypts a token so that only who holds the one before it can read it (AES-256-GCM). */
export function sealSuccessor (successor: string, predecessor: string): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', deriveKey(predecessor, 'refresh successor'), nonce)
  return Buffer.concat([nonce, cipher.update(successor, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url')
}

/** @throws when the predecessor is another or the text was changed */
export function openSuccessor (sealed: string, predecessor: string): string {
  const bytes = Buffer.from(sealed, 'base64url')
  const decipher = createDecipheriv('aes-256-gcm', deriveKey(predecessor, 'refresh successor'), bytes.subarray(0, 12))
  decipher.setAuthTag(bytes.subarray(-16))
  return decipher.update(bytes.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8')
}
