import type { Scope } from './identity.js'

/** What people may be. Each role is a set of the scopes that keys have. */
export const roles = ['viewer', 'operator', 'admin'] as const
export type Role = typeof roles[number]

export const scopesOfRole: Record<Role, ReadonlySet<Scope>> = {
  viewer: new Set<Scope>(['read']),
  operator: new Set<Scope>(['read', 'ingest', 'publish', 'events:write', 'operate']),
  admin: new Set<Scope>(['admin'])
}
