import mongoose from 'mongoose'

const { MongoNetworkError, MongoServerSelectionError, MongoNotConnectedError, MongoServerError } = mongoose.mongo

/** True when the store is away or shutting down, so that a retry may succeed. */
export function isStoreUnavailable (error: unknown): boolean {
  return error instanceof MongoNetworkError || error instanceof MongoServerSelectionError ||
    error instanceof MongoNotConnectedError || error instanceof mongoose.Error.MongooseServerSelectionError ||
    (error instanceof MongoServerError && error.hasErrorLabel('RetryableWriteError'))
}

/** The fields of a unique index that a write ran into, or null when it was another error. */
export function duplicateKeyFields (error: unknown): string[] | null {
  if (!(error instanceof MongoServerError) || error.code !== 11000) return null
  return Object.keys((error as { keyPattern?: Record<string, unknown> }).keyPattern ?? { _id: 1 })
}
