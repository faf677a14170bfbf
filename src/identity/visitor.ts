import { type Identity } from './identity.js'
import { deriveKey, equalSecrets, signValue } from './secrets.js'

/** Seconds a visitor cookie lasts: a wall screen stays open for a season. */
export const visitorMaxAge = 365 * 24 * 3600

/**
 * Somebody who opened the dashboard in `public-read`: may look at vehicles, telemetry,
 * events and alerts. Only routes with `config.visitor: true` and the channels of
 * `visitorMayRead` answer one, whatever the scope.
 */
export const visitor: Identity = { kind: 'visitor', id: 'visitor', name: 'visitor', scopes: new Set(['read']) }

const channels = new Set(['events', 'vehicles', 'gear', 'engineIconColor', 'status', 'alerts'])

/** True for the channels that a visitor may read; all others are closed to one. */
export function visitorMayRead (channel: string): boolean {
  return channels.has(channel) || channel.startsWith('vehicle:') || channel.startsWith('replay:')
}

export interface VisitorTokens {
  /** A cookie value that this server, and every node with its secret, knows again. */
  issue (): string
  accepts (value: string): boolean
}

/** Visitor cookies: an end and its HMAC, so that nothing has to be stored. */
export function createVisitorTokens (secret: string, now: () => number): VisitorTokens {
  const key = deriveKey(secret, 'visitor cookie')
  return {
    issue () {
      const ends = String(Math.floor(now() / 1000) + visitorMaxAge)
      return `${ends}.${signValue(key, ends)}`
    },
    accepts (value) {
      const [ends = '', signature = '', ...rest] = value.split('.')
      return rest.length === 0 && /^\d{1,12}$/.test(ends) && equalSecrets(signature, signValue(key, ends)) && Number(ends) * 1000 > now()
    }
  }
}
