import type { mongo } from 'mongoose'
import { formatCount } from '../progress-line.js'
import type { Change } from './change-log.js'
import type { Move } from './move-context.js'
import { formatNamespace, INTERNAL_DATABASES, PROGRESS_COLLECTION, type Namespace } from './namespace.js'
import type { RawElement } from './raw-document.js'
import { reconcileCollections } from './reconcile.js'

/** How far to follow changes; without a limit until there is nothing new at the moment. */
export interface FollowLimit {
  /** Stop after about so many milliseconds. */
  milliseconds?: number
  /** Stop behind what happened at this time. */
  time?: mongo.BSON.Timestamp
}

/**
 * Applies what has changed in the source; returns how many changes there were. An event only tells which document to
 * look at: the target gets it as it is in the source by then, or loses it. So an event applied twice, late, or beside a
 * copy that saw its effect already does no harm, and once the log is read to its end the target is as the source.
 *
 * Call it only when no document has been read from the source and not been written to the target yet.
 */
export async function followChanges (move: Move, { milliseconds = Infinity, time }: FollowLimit = {}): Promise<number> {
  const { changes, progress, line } = move
  const deadline = performance.now() + milliseconds
  const isEnough = (): boolean => performance.now() > deadline || (time !== undefined && changes.time?.greaterThanOrEqual(time) === true)
  let count = 0
  do {
    move.checkInterrupt()
    const batch = await changes.next()
    if (batch.length === 0) break
    const known = batch.filter(({ namespace }) => !isOther(namespace))
    if (known.length > 0) await progress.saveVerified(false)
    if (await applyBatch(move, known)) await reconcileCollections(move)
    await progress.savePosition(changes.position)
    count += known.length
    line.show(() => `following changes: ${formatCount(count)} applied`)
  } while (!isEnough())
  return count
}

/**
 * Follows changes until there is nothing new, or while others write, until less than a second's worth is left: there
 * would be something new for ever.
 */
export async function catchUp (move: Move): Promise<number> {
  if (move.isFinal) return await followChanges(move)
  let total = 0
  for (;;) {
    const startedAt = performance.now()
    const count = await followChanges(move, { time: await move.source.now() })
    total += count
    if (count === 0 || performance.now() - startedAt < 1_000) return total
  }
}

const isOther = ({ db, name }: Namespace): boolean => INTERNAL_DATABASES.has(db) || name === PROGRESS_COLLECTION || name.startsWith('system.')

/** @returns true if collections came, went or changed */
async function applyBatch (move: Move, batch: Change[]): Promise<boolean> {
  let changesCatalogue = false
  const documents = new Map<string, { namespace: Namespace, ids: Map<string, RawElement> }>()
  for (const { namespace, id } of batch) {
    const collection = move.progress.of(namespace)
    if (id === undefined || collection === undefined) changesCatalogue = true
    // What is not copied yet will be as it is then.
    if (id === undefined || collection === undefined || collection.state === 'new') continue
    if (collection.spec.kind === 'capped') {
      await move.progress.save({ spec: collection.spec, state: 'new', documents: 0 })
      continue
    }
    const key = formatNamespace(namespace)
    const entry = documents.get(key) ?? { namespace, ids: new Map<string, RawElement>() }
    entry.ids.set(id.bytes.toString('latin1'), id)
    documents.set(key, entry)
  }
  for (const { namespace, ids } of documents.values()) {
    const list = [...ids.values()]
    await move.target.replace(namespace, list, await move.source.readByIds(namespace, list))
  }
  return changesCatalogue
}
