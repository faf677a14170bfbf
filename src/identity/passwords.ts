import { hash, parseOptions, verify } from '@node-rs/argon2'
import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { checkBcrypt } from './bcrypt-check.js'
import { createConcurrencyLimit } from './concurrency-limit.js'

// OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane.
// argon2id is the library's default algorithm.
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const

// Each hash holds 19 MiB and a thread of libuv's pool for some 20 ms: never all of its four.
const limit = createConcurrencyLimit(Math.min(2, availableParallelism()), 64)

const unpadded = (size: number) => randomBytes(size).toString('base64').replace(/=+$/, '')

/** A hash of nothing anyone knows, as costly to check as a real one. */
const dummyHash = `$argon2id$v=19$m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}$${unpadded(16)}$${unpadded(32)}`

export interface PasswordVerdict {
  matches: boolean
  /** True when the password is right but its hash is bcrypt or cheaper than today's. */
  outdated: boolean
}

/** Hashes a password with argon2id, off the event loop, a few at a time. */
export async function hashPassword (password: string): Promise<string> {
  return await limit(() => hash(password.normalize('NFKC'), cost))
}

/**
 * Checks a password against a stored hash, argon2 or bcrypt. Without a hash (nobody of
 * that name, or somebody without a password) it takes the same time and says no.
 */
export async function verifyPassword (stored: string | null | undefined, password: string): Promise<PasswordVerdict> {
  if (stored?.startsWith('$2')) {
    const matches = await limit(() => checkBcrypt(password, stored))
    return { matches, outdated: matches }
  }
  const matches = await limit(() => verify(stored ?? dummyHash, password.normalize('NFKC')))
  if (!stored || !matches) return { matches: false, outdated: false }
  return { matches, outdated: isOutdated(stored) }
}

function isOutdated (stored: string): boolean {
  const { memoryCost, timeCost } = parseOptions(stored)
  return !stored.startsWith('$argon2id$') || memoryCost < cost.memoryCost || timeCost < cost.timeCost
}
