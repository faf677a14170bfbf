import { watchCollection, type CollectionWatch, type CollectionWatchOptions, type WatchedDocument, type WatchedModel } from './collection-watch.js'
import { hasScope, type Identity, type Scope } from './identity.js'
import type { Role } from './roles.js'

export interface CredentialWatch {
  /** Resolves once what others revoke and change is noticed. */
  start (): Promise<void>
  close (): Promise<void>
}

export interface CredentialWatchOptions extends Pick<CollectionWatchOptions<WatchedDocument>, 'inUse' | 'cache' | 'revocations' | 'onError' | 'now'> {
  keys: WatchedModel
  sessions: WatchedModel
  users: WatchedModel
}

interface StoredKey extends WatchedDocument { scopes: Scope[], vehicle?: string | null, device?: string | null }
interface StoredPerson extends WatchedDocument { role: Role }

/**
 * Notices keys, sessions and people that another node, another process or somebody in
 * mongosh revoked, changed or deleted: at once by change streams; on a standalone
 * MongoDB, which has none, within a second for all revocations and for whatever happens
 * to those whose sockets are open.
 */
export function createCredentialWatch ({ keys, sessions, users, ...common }: CredentialWatchOptions): CredentialWatch {
  const watches: CollectionWatch[] = [
    watchCollection<StoredKey>({
      ...common,
      model: keys,
      routine: ['lastUsedAt', 'updatedAt'],
      idOf: ({ kind, id }) => kind === 'key' ? id : undefined,
      isOver: (key, identity) => !grantsAll(key, identity)
    }),
    watchCollection<WatchedDocument>({
      ...common,
      model: sessions,
      routine: ['lastUsedAt', 'updatedAt', 'refreshHash', 'previousRefreshHash', 'sealedSuccessor', 'rotatedAt'],
      idOf: ({ kind, id }) => kind === 'session' ? id : undefined
    }),
    watchCollection<StoredPerson>({
      ...common,
      model: users,
      routine: ['updatedAt', 'passwordHash'],
      idOf: ({ userId }) => userId,
      isOver: (person, { role }) => role !== person.role
    })
  ]
  return {
    async start () { await Promise.all(watches.map((watch) => watch.start())) },
    async close () { await Promise.all(watches.map((watch) => watch.close())) }
  }
}

/** True if a key as it is stored now gives all that an identity made from it lives by. */
function grantsAll ({ scopes, vehicle, device }: StoredKey, identity: Identity): boolean {
  const granted: Identity = { ...identity, scopes: new Set(scopes) }
  return [...identity.scopes].every((scope) => hasScope(granted, scope)) &&
    (vehicle ?? undefined) === identity.vehicle && (device ?? undefined) === identity.device
}
