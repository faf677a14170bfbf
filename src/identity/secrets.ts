import { createHmac, hash, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'

/** 256 random bits as base64url, behind a prefix that says what the secret is. */
export function createSecret (prefix: 'pw_' | 'pws_' | 'pwr_' | 'pwt_' | 'pwi_'): string {
  return prefix + randomBytes(32).toString('base64url')
}

/** SHA-256 in hex: the only form in which a key or token is stored. Secrets of 256 random bits need no salt. */
export function hashSecret (secret: string): string {
  return hash('sha256', secret, 'hex')
}

/** A key for one purpose, derived from the server's secret (HKDF-SHA256). */
export function deriveKey (secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `pitwall ${purpose}`, 32))
}

/** HMAC-SHA256 as base64url. */
export function signValue (key: Buffer, value: string): string {
  return createHmac('sha256', key).update(value).digest('base64url')
}

/** Compares two strings in time that tells nothing about where they differ. */
export function equalSecrets (left: string, right: string): boolean {
  const a = Buffer.from(left)
  const b = Buffer.from(right)
  return a.length === b.length && timingSafeEqual(a, b)
}
