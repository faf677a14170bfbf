import { setTimeout as delay } from 'node:timers/promises'
import type mongoose from 'mongoose'
import type { mongo } from 'mongoose'
import type { CredentialCache } from './credential-cache.js'
import type { Identity } from './identity.js'
import type { Revocations } from './revocations.js'

/** A model whose collection is watched with the driver itself: Mongoose would cast what it hears. */
export type WatchedModel = Pick<mongoose.Model<never>, 'collection' | 'db'>

/** What is read of a key, a session or a person. */
export interface WatchedDocument { _id: string, revokedAt?: Date | null, expiresAt?: Date | null }

export interface CollectionWatch {
  /** Resolves once changes are noticed. */
  start (): Promise<void>
  close (): Promise<void>
}

export interface CollectionWatchOptions<Stored extends WatchedDocument> {
  model: WatchedModel
  /** Fields whose changes mean nothing for who may do what. */
  routine: readonly string[]
  /** The document behind an identity in use; undefined when it is of another collection. */
  idOf (identity: Identity): string | undefined
  /** True for an identity whose rights are not those that the document now gives; absent where the document gives none. */
  isOver?: (stored: Stored, identity: Identity) => boolean
  /** The identities somebody lives by at this moment: those of open sockets. */
  inUse (): Iterable<Identity>
  cache: CredentialCache
  revocations: Revocations
  onError (error: unknown): void
  now: () => number
}

type Unread = mongo.BSON.Document & { _id: string }

const retryAfter = 1000
// Clocks of nodes may differ by so much; what was told twice is only passed on once.
const overlap = 60_000
// Documents looked up at once.
const batch = 1000

const isGone = (stored: WatchedDocument | undefined): stored is undefined => stored?.revokedAt != null || stored === undefined

/**
 * Follows one collection by its change stream. After each gap in it, and every second
 * where there is none, it looks up what was revoked meanwhile and who is in use.
 */
export function watchCollection<Stored extends WatchedDocument> (options: CollectionWatchOptions<Stored>): CollectionWatch {
  const { model, idOf, isOver, inUse, cache, revocations, onError, now } = options
  const routine = new Set(options.routine)
  const collection = model.db.getClient().db(model.db.name).collection<Unread>(model.collection.name)
  const closing = new AbortController()
  let stream: mongo.ChangeStream<Unread> | undefined
  let seenUntil = now()
  let running: Promise<void> | undefined
  let markStarted = () => {}
  const started = new Promise<void>((resolve) => { markStarted = resolve })

  function end (id: string): void {
    cache.forget(id)
    revocations.revoke(id)
  }

  function judge (id: string, document: Unread | undefined): void {
    const stored = document as unknown as Stored | undefined
    if (isGone(stored)) return end(id)
    cache.forget(id)
    revocations.restore(id)
    revocations.trackExpiry(id, stored.expiresAt?.getTime())
    if (isOver) revocations.change(id, (identity) => isOver(stored, identity))
  }

  function hear (change: mongo.ChangeStreamDocument<Unread>): void {
    seenUntil = now()
    if (change.operationType === 'delete') return judge(change.documentKey._id, undefined)
    if (change.operationType === 'replace') return judge(change.documentKey._id, change.fullDocument)
    if (change.operationType !== 'update') return
    const { updatedFields = {}, removedFields = [] } = change.updateDescription
    if ([...Object.keys(updatedFields), ...removedFields].every((field) => routine.has(field))) return
    judge(change.documentKey._id, change.fullDocument)
  }

  /** Looks up what may have changed while nobody listened; takes nothing back, for what it read may be old already. */
  async function catchUp (): Promise<void> {
    const since = new Date(seenUntil - overlap)
    seenUntil = now()
    const revoked = await collection.find({ revokedAt: { $gte: since } }, { projection: { _id: 1 } }).toArray()
    for (const { _id } of revoked) end(_id)
    const using = new Map<string, Identity[]>()
    for (const identity of inUse()) {
      const id = idOf(identity)
      if (id === undefined) continue
      const others = using.get(id)
      if (others) others.push(identity)
      else using.set(id, [identity])
    }
    const ids = [...using.keys()]
    for (let start = 0; start < ids.length; start += batch) {
      const asked = ids.slice(start, start + batch)
      const found = new Map((await collection.find({ _id: { $in: asked } }).toArray()).map((document) => [document._id, document]))
      for (const id of asked) {
        const document = found.get(id)
        const stored = document as unknown as Stored | undefined
        if (isGone(stored) || using.get(id)?.some((identity) => isOver?.(stored, identity))) judge(id, document)
      }
    }
  }

  /** Follows the stream until it breaks, once it is open, which its first resume token tells. */
  async function follow (): Promise<void> {
    const opened = collection.watch([], { fullDocument: 'updateLookup' })
    stream = opened
    let failure: unknown
    opened.once('resumeTokenChanged', () => {
      catchUp().then(markStarted, async (error: unknown) => {
        failure = error
        await opened.close()
      }).catch(onError)
    })
    try {
      for await (const change of opened) hear(change)
    } catch (error) {
      throw failure ?? error
    }
  }

  async function run (): Promise<void> {
    let streams = true
    while (!closing.signal.aborted) {
      try {
        if (streams) await follow()
        else await catchUp()
      } catch (error) {
        if (closing.signal.aborted) return
        if (isUnsupported(error)) {
          streams = false
          continue
        }
        onError(error)
        cache.clear()
      }
      markStarted()
      await delay(retryAfter, undefined, { signal: closing.signal, ref: false }).catch(() => undefined)
    }
  }

  return {
    start () {
      running ??= run()
      return started
    },
    async close () {
      closing.abort()
      await stream?.close()
      await running
    }
  }
}

/** A standalone MongoDB's answer to `$changeStream`: Location40573. */
const isUnsupported = (error: unknown) => error instanceof Error && 'code' in error && error.code === 40573
