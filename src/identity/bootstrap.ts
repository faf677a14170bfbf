import type { ApiKeyModel } from '../models/api-key.js'
import { isLive, system, type ApiKeys } from './api-keys.js'
import { hashSecret } from './secrets.js'

export interface BootstrapOptions { model: ApiKeyModel, keys: ApiKeys, apiKey: string | undefined, now: () => number }

/**
 * Makes sure that somebody can get in. `API_KEY` becomes an admin key, and the one it
 * replaces is revoked. Without it and without any other live admin key a first one is
 * made and returned, the only time its text is known.
 */
export async function ensureAdminKey ({ model, keys, apiKey, now }: BootstrapOptions): Promise<{ firstKey?: string }> {
  const hash = apiKey === undefined ? null : hashSecret(apiKey)
  const outdated = await model.find({ origin: 'environment', revokedAt: null, ...(hash !== null && { hash: { $ne: hash } }) }, { _id: 1 }).lean()
  for (const { _id } of outdated) await keys.revoke(system, _id)
  if (hash !== null) {
    await model.findOneAndUpdate({ hash }, {
      $set: { name: 'API_KEY', scopes: ['admin'], origin: 'environment', vehicle: null, device: null, expiresAt: null, revokedAt: null }
    }, { upsert: true })
    return {}
  }
  const admins = await model.find({ scopes: 'admin', revokedAt: null }, { revokedAt: 1, expiresAt: 1 }).lean()
  if (admins.some((record) => isLive(record, now()))) return {}
  const { key } = await keys.createFirst()
  return { firstKey: key }
}
