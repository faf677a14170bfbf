import type { Role } from './roles.js'

/** What a credential may do. `admin` implies all others. */
export const scopes = ['read', 'ingest', 'publish', 'events:write', 'operate', 'users', 'admin'] as const
export type Scope = typeof scopes[number]

/** Limits of a key's own, in place of what the settings say. */
export interface KeyLimits {
  /** REST requests in a `RATE_LIMIT_WINDOW`. */
  requests?: number | undefined
  /** Requests a second to the ingest routes. */
  ingest?: number | undefined
  /** WebSocket messages a second, over all its sockets. */
  messages?: number | undefined
  /** Sockets at once. */
  connections?: number | undefined
}

/** Who is speaking: decided once, at the request or the upgrade. */
export interface Identity {
  kind: 'key' | 'session' | 'visitor'
  /** Stable id of the credential: key id, session id, or `visitor`. */
  id: string
  /** Name to show and log: the key's name, the person's name, `visitor`. */
  name: string
  scopes: ReadonlySet<Scope>
  /** The person behind a session, and what they were when it was looked up. */
  userId?: string
  role?: Role
  /** Epoch milliseconds at which a session ends however much it is used. */
  endsAt?: number
  /** Bound keys may write only this vehicle's status, telemetry and activity. */
  vehicle?: string
  /** Bound keys may write only as this device. */
  device?: string
  /** Limits of the key's own. */
  limits?: KeyLimits | undefined
  /** Epoch milliseconds after which the credential is no longer good. */
  expiresAt?: number
}

/** True if the identity holds the scope, directly or by being admin. */
export function hasScope (identity: Identity, scope: Scope): boolean {
  return identity.scopes.has(scope) || identity.scopes.has('admin')
}
