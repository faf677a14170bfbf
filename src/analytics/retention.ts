import type { Models } from '../models/index.js'

const daySeconds = 86_400
const indexOptionsConflict = 85

/**
 * Has the store drop activity and sessions at an age. The TTL indexes are also the indexes
 * of time; a changed age changes them in place.
 */
export async function applyRetention (models: Models, days: number): Promise<void> {
  const seconds = Math.round(days * daySeconds)
  await Promise.all([
    applyTtl(models, models.activityEvents.collection.name, 'ts', seconds),
    applyTtl(models, models.activitySessions.collection.name, 'end', seconds)
  ])
}

async function applyTtl ({ connection }: Models, collection: string, field: string, expireAfterSeconds: number): Promise<void> {
  try {
    await connection.collection(collection).createIndex({ [field]: 1 }, { expireAfterSeconds })
  } catch (error) {
    if ((error as { code?: number }).code !== indexOptionsConflict) throw error
    await connection.db?.command({ collMod: collection, index: { keyPattern: { [field]: 1 }, expireAfterSeconds } })
  }
}
