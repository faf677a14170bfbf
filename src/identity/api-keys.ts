import { PitwallError } from '../errors.js'
import type { ApiKeyModel, ApiKeyRecord } from '../models/api-key.js'
import type { CredentialCache } from './credential-cache.js'
import { type Identity, type Scope } from './identity.js'
import type { Revocations } from './revocations.js'
import { createSecret, hashSecret } from './secrets.js'

export interface NewApiKey {
  name: string
  scopes: Scope[]
  vehicle?: string
  device?: string
  /** Epoch milliseconds. */
  expiresAt?: number
}

/** A key just made: the only time its text is known. */
export interface IssuedApiKey { key: string, record: ApiKeyRecord }

export interface ApiKeys {
  /** The identity behind a key's hash, from the store; null when unknown, revoked or expired. */
  load (hash: string): Promise<Identity | null>
  /** The identity of a key by its id; null when revoked or expired. */
  loadById (id: string): Promise<Identity | null>
  create (input: NewApiKey, origin?: ApiKeyRecord['origin']): Promise<IssuedApiKey>
  /** @throws NOT_FOUND */
  get (id: string): Promise<ApiKeyRecord>
  /** @throws NOT_FOUND */
  rename (id: string, name: string): Promise<ApiKeyRecord>
  /** Ends a key at once, here and, by the change stream, on every node. @throws NOT_FOUND */
  revoke (id: string): Promise<ApiKeyRecord>
  /**
   * A new key with the same name, rights and binding. The old one works for another
   * `overlap` milliseconds so that clients can be changed over.
   * @throws NOT_FOUND, CONFLICT for the key of `API_KEY` and for one no longer valid
   */
  rotate (id: string, overlap: number): Promise<IssuedApiKey>
}

export interface ApiKeysOptions {
  model: ApiKeyModel
  cache: CredentialCache
  revocations: Revocations
  now: () => number
}

/** Keys as stored, and their life. */
export function createApiKeys ({ model, cache, revocations, now }: ApiKeysOptions): ApiKeys {
  function toIdentity (record: ApiKeyRecord | null): Identity | null {
    if (!record || !isLive(record, now())) return null
    const identity = identityOfKey(record)
    if (identity.expiresAt !== undefined) revocations.trackExpiry(identity.id, identity.expiresAt)
    return identity
  }

  async function get (id: string): Promise<ApiKeyRecord> {
    const record = await model.findById(id).lean<ApiKeyRecord>()
    if (!record) throw missing(id)
    return record
  }

  async function create (input: NewApiKey & { rotatedFrom?: string }, origin: ApiKeyRecord['origin'] = 'api'): Promise<IssuedApiKey> {
    const key = createSecret('pw_')
    const { expiresAt, ...rest } = input
    const record = await model.create({
      ...rest,
      hash: hashSecret(key),
      origin,
      ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt) })
    })
    return { key, record: record.toObject() }
  }

  return {
    create,
    get,
    async load (hash) {
      return toIdentity(await model.findOne({ hash }).lean<ApiKeyRecord>())
    },
    async loadById (id) {
      return toIdentity(await model.findById(id).lean<ApiKeyRecord>())
    },
    async rename (id, name) {
      const record = await model.findByIdAndUpdate(id, { $set: { name } }, { returnDocument: 'after' }).lean<ApiKeyRecord>()
      if (!record) throw missing(id)
      cache.forget(id)
      return record
    },
    async revoke (id) {
      const record = await model.findOneAndUpdate({ _id: id, revokedAt: null }, { $set: { revokedAt: new Date(now()) } }, { returnDocument: 'after' }).lean<ApiKeyRecord>() ?? await get(id)
      cache.forget(id)
      revocations.revoke(id)
      return record
    },
    async rotate (id, overlap) {
      const old = await get(id)
      if (old.origin === 'environment') throw new PitwallError('CONFLICT', 'This key is set by API_KEY: change it there and restart')
      if (!isLive(old, now())) throw new PitwallError('CONFLICT', `The key ${JSON.stringify(old.name)} is no longer valid; make a new one`)
      const issued = await create({
        name: old.name,
        scopes: old.scopes,
        rotatedFrom: id,
        ...(old.vehicle != null && { vehicle: old.vehicle }),
        ...(old.device != null && { device: old.device }),
        ...(old.expiresAt != null && { expiresAt: old.expiresAt.getTime() })
      })
      const ends = Math.min(now() + overlap, old.expiresAt?.getTime() ?? Infinity)
      await model.updateOne({ _id: id }, { $set: { expiresAt: new Date(ends) } })
      cache.forget(id)
      revocations.trackExpiry(id, ends)
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
    ...(record.expiresAt != null && { expiresAt: record.expiresAt.getTime() })
  }
}

const missing = (id: string) => new PitwallError('NOT_FOUND', `There is no key ${JSON.stringify(id)}`)
