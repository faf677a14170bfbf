import { createDocumentCollection, type ListQuery, type Page } from '../entities/document-collection.js'
import type { PublicDocument } from '../entities/public-document.js'
import { PitwallError } from '../errors.js'
import type { ApiKeyModel, ApiKeyRecord } from '../models/api-key.js'
import type { Audit } from './audit.js'
import type { CredentialCache } from './credential-cache.js'
import type { Identity, KeyLimits, Scope } from './identity.js'
import type { Revocations } from './revocations.js'
import { createSecret, hashSecret } from './secrets.js'

export interface NewApiKey {
  name: string
  scopes: Scope[]
  vehicle?: string
  device?: string
  limits?: KeyLimits
  /** Epoch milliseconds. */
  expiresAt?: number
}

/** A key as admins see it: never its text or hash. */
export interface ApiKey extends PublicDocument {
  name: string
  scopes: Scope[]
  vehicle?: string | null
  device?: string | null
  origin: ApiKeyRecord['origin']
  rotatedFrom?: string | null
  limits?: KeyLimits | null
  expiresAt?: string | null
  lastUsedAt?: string | null
  revokedAt?: string | null
}

/** A key just made: the only time its text is known. */
export interface IssuedApiKey extends ApiKey { key: string }

type Actor = Pick<Identity, 'kind' | 'id' | 'name'>

export interface ApiKeys {
  /** The identity behind a key's hash, from the store; null when unknown, revoked or expired. */
  load (hash: string): Promise<Identity | null>
  /** The identity of a key by its id; null when revoked or expired. */
  loadById (id: string): Promise<Identity | null>
  /** True for the id of a key that is neither revoked nor expired; asking is no use of it. */
  isGood (id: string): Promise<boolean>
  list (query: ListQuery): Promise<Page<ApiKey>>
  /** @throws NOT_FOUND */
  get (id: string): Promise<ApiKey>
  create (actor: Actor, input: NewApiKey): Promise<IssuedApiKey>
  /** The first admin key of an empty store. */
  createFirst (): Promise<IssuedApiKey>
  /** Renames a key, or replaces its limits; null leaves them to the settings. @throws NOT_FOUND */
  change (actor: Actor, id: string, change: { name?: string | undefined, limits?: KeyLimits | null | undefined }): Promise<ApiKey>
  /** Ends a key at once, here and, by the change stream, on every node. @throws NOT_FOUND */
  revoke (actor: Actor, id: string): Promise<ApiKey>
  /**
   * A new key with the same name, rights and binding. The old one works for another
   * `overlap` milliseconds so that clients can be changed over.
   * @throws NOT_FOUND, CONFLICT for the key of `API_KEY` and for one no longer valid
   */
  rotate (actor: Actor, id: string, overlap: number): Promise<IssuedApiKey>
}

export interface ApiKeysOptions {
  model: ApiKeyModel
  cache: CredentialCache
  revocations: Revocations
  audit: Audit
  onUse (id: string): void
  now: () => number
}

/** What acts when nobody asked: the start of the server. */
export const system: Actor = { kind: 'key', id: 'system', name: 'Pitwall' }

/** Keys as stored, and their life. */
export function createApiKeys ({ model, cache, revocations, audit, onUse, now }: ApiKeysOptions): ApiKeys {
  const documents = createDocumentCollection<ApiKey>({
    collection: model.collection,
    noun: 'key',
    sortable: ['name', 'lastUsedAt', 'expiresAt'],
    filterable: ['name', 'origin', 'vehicle', 'device'],
    hidden: ['hash']
  })
  const target = ({ id, name }: ApiKey) => ({ type: 'key' as const, id, name })

  function toIdentity (record: ApiKeyRecord | null): Identity | null {
    if (!record || !isLive(record, now())) return null
    const identity = identityOfKey(record)
    if (identity.expiresAt !== undefined) revocations.trackExpiry(identity.id, identity.expiresAt)
    return identity
  }

  function noteUse (identity: Identity | null): Identity | null {
    if (identity) onUse(identity.id)
    return identity
  }

  async function issue (input: NewApiKey & { rotatedFrom?: string }, origin: ApiKeyRecord['origin']): Promise<IssuedApiKey> {
    const key = createSecret('pw_')
    const { name, scopes, vehicle = null, device = null, limits = null, expiresAt, rotatedFrom = null } = input
    const record = await documents.create({
      name,
      hash: hashSecret(key),
      scopes,
      vehicle,
      device,
      origin,
      rotatedFrom,
      limits,
      expiresAt: expiresAt === undefined ? null : new Date(expiresAt),
      lastUsedAt: null,
      revokedAt: null
    })
    return { ...record, key }
  }

  async function loadRecord (id: string): Promise<ApiKeyRecord> {
    const record = await model.findById(id).lean<ApiKeyRecord>()
    if (!record) throw new PitwallError('NOT_FOUND', `There is no key ${JSON.stringify(id)}`)
    return record
  }

  return {
    list: documents.list,
    get: documents.get,
    async load (hash) {
      return noteUse(toIdentity(await model.findOne({ hash }).lean<ApiKeyRecord>()))
    },
    async loadById (id) {
      return noteUse(toIdentity(await model.findById(id).lean<ApiKeyRecord>()))
    },
    async isGood (id) {
      return toIdentity(await model.findById(id).lean<ApiKeyRecord>()) !== null
    },
    async create (actor, input) {
      const issued = await issue(input, 'api')
      await audit.record(actor, 'key.create', target(issued), { scopes: input.scopes, ...(input.limits && { limits: input.limits }) })
      return issued
    },
    async createFirst () {
      const issued = await issue({ name: 'First admin key', scopes: ['admin'] }, 'first-start')
      await audit.record(system, 'key.create', target(issued), { scopes: issued.scopes })
      return issued
    },
    async change (actor, id, { name, limits }) {
      const before = await documents.get(id)
      const key = await documents.change(id, { ...(name !== undefined && { name }), ...(limits !== undefined && { limits }) })
      cache.forget(id)
      if (name !== undefined) await audit.record(actor, 'key.rename', target(key), { from: before.name })
      if (limits !== undefined) await audit.record(actor, 'key.limits', target(key), { from: before.limits ?? null, to: limits })
      return key
    },
    async revoke (actor, id) {
      const { matchedCount } = await model.updateOne({ _id: id, revokedAt: null }, { $set: { revokedAt: new Date(now()) } })
      const key = await documents.get(id)
      cache.forget(id)
      revocations.revoke(id)
      if (matchedCount > 0) await audit.record(actor, 'key.revoke', target(key))
      return key
    },
    async rotate (actor, id, overlap) {
      const old = await loadRecord(id)
      if (old.origin === 'environment') throw new PitwallError('CONFLICT', 'This key is set by API_KEY: change it there and restart')
      if (!isLive(old, now())) throw new PitwallError('CONFLICT', `The key ${JSON.stringify(old.name)} is no longer valid; make a new one`)
      const issued = await issue({
        name: old.name,
        scopes: old.scopes,
        rotatedFrom: id,
        ...(old.vehicle != null && { vehicle: old.vehicle }),
        ...(old.device != null && { device: old.device }),
        ...(old.limits != null && { limits: old.limits }),
        ...(old.expiresAt != null && { expiresAt: old.expiresAt.getTime() })
      }, 'api')
      const ends = Math.min(now() + overlap, old.expiresAt?.getTime() ?? Infinity)
      await model.updateOne({ _id: id }, { $set: { expiresAt: new Date(ends) } })
      cache.forget(id)
      revocations.trackExpiry(id, ends)
      await audit.record(actor, 'key.rotate', target(issued), { replaces: id, until: new Date(ends).toISOString() })
      return issued
    }
  }
}

/** True for a key that is neither revoked nor expired. */
export function isLive (record: Pick<ApiKeyRecord, 'revokedAt' | 'expiresAt'>, time: number): boolean {
  return record.revokedAt == null && (record.expiresAt == null || record.expiresAt.getTime() > time)
}

function identityOfKey (record: ApiKeyRecord): Identity {
  return {
    kind: 'key',
    id: record._id,
    name: record.name,
    scopes: new Set(record.scopes),
    ...(record.vehicle != null && { vehicle: record.vehicle }),
    ...(record.device != null && { device: record.device }),
    ...(record.limits != null && { limits: record.limits }),
    ...(record.expiresAt != null && { expiresAt: record.expiresAt.getTime() })
  }
}
