import type mongoose from 'mongoose'
import type { mongo } from 'mongoose'
import type { CredentialCache } from './credential-cache.js'
import type { Revocations } from './revocations.js'

export interface CredentialWatch {
  /** Resolves once revocations by others are noticed. */
  start (): Promise<void>
  close (): Promise<void>
}

export interface CredentialWatchOptions {
  /** Models of credentials: documents with `revokedAt` and `expiresAt`. */
  models: readonly Pick<mongoose.Model<never>, 'collection' | 'db'>[]
  cache: CredentialCache
  revocations: Revocations
  onError (error: unknown): void
  now: () => number
}

interface CredentialDocument extends mongo.BSON.Document { _id: string, revokedAt?: Date | null, expiresAt?: Date | null }

const retryAfter = 1000
// Clocks of nodes may differ by so much; what was told twice is only passed on once.
const overlap = 60_000
const routineFields = new Set(['lastUsedAt', 'updatedAt', 'refreshHash', 'previousRefreshHash', 'sealedSuccessor', 'rotatedAt'])

/**
 * Notices keys and sessions that another node, or somebody in mongosh, revoked, changed
 * or deleted: by change streams, and where a standalone MongoDB has none by asking for
 * what was revoked, every second.
 */
export function createCredentialWatch (options: CredentialWatchOptions): CredentialWatch {
  const watches = options.models.map((model) => watchOne(model, options))
  return {
    async start () { await Promise.all(watches.map((watch) => watch.start())) },
    async close () { await Promise.all(watches.map((watch) => watch.close())) }
  }
}

function watchOne (model: CredentialWatchOptions['models'][number], { cache, revocations, onError, now }: CredentialWatchOptions) {
  const collection = model.db.getClient().db(model.db.name).collection<CredentialDocument>(model.collection.name)
  let stream: mongo.ChangeStream<CredentialDocument> | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false
  let seenUntil = now()

  function judge (id: string, document: CredentialDocument | undefined): void {
    cache.forget(id)
    if (!document || document.revokedAt != null) return revocations.revoke(id)
    revocations.restore(id)
    revocations.trackExpiry(id, document.expiresAt?.getTime())
  }

  function hear (change: mongo.ChangeStreamDocument<CredentialDocument>): void {
    seenUntil = now()
    if (change.operationType === 'delete') return judge(change.documentKey._id, undefined)
    if (change.operationType === 'replace') return judge(change.documentKey._id, change.fullDocument)
    if (change.operationType !== 'update') return
    const changed = Object.keys(change.updateDescription.updatedFields ?? {})
    if (changed.every((field) => routineFields.has(field))) return
    judge(change.documentKey._id, change.fullDocument)
  }

  /** Catches up with what was revoked while nobody listened. */
  async function catchUp (): Promise<void> {
    const since = new Date(seenUntil - overlap)
    seenUntil = now()
    const revoked = await collection.find({ revokedAt: { $gte: since } }, { projection: { revokedAt: 1 } }).toArray()
    for (const document of revoked) judge(document._id, document)
  }

  function later (task: () => Promise<void>): void {
    if (closed) return
    timer = setTimeout(() => {
      if (closed) return
      task().catch((error: unknown) => {
        onError(error)
        later(task)
      })
    }, retryAfter)
    timer.unref()
  }

  async function poll (): Promise<void> {
    await catchUp()
    later(poll)
  }

  async function hearAll (changes: mongo.ChangeStream<CredentialDocument>): Promise<void> {
    try {
      for await (const change of changes) hear(change)
      later(listen)
    } catch (error) {
      if (closed) return
      if (isUnsupported(error)) return await poll()
      onError(error)
      cache.clear()
      later(listen)
    }
  }

  /** Opens the stream; resolves once it is open, which its first resume token tells. */
  async function listen (): Promise<void> {
    const opened = collection.watch<CredentialDocument>([], { fullDocument: 'updateLookup' })
    stream = opened
    const open = new Promise<void>((resolve) => opened.once('resumeTokenChanged', () => resolve()))
    await Promise.race([open, hearAll(opened)])
    await catchUp()
  }

  return {
    start: listen,
    async close () {
      closed = true
      clearTimeout(timer)
      await stream?.close()
    }
  }
}

/** A standalone MongoDB's answer to `$changeStream`: Location40573. */
const isUnsupported = (error: unknown) => error instanceof Error && 'code' in error && error.code === 40573
