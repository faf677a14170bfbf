import { formatCount, formatDuration, formatNumberOf } from '../progress-line.js'
import { followChanges } from './follow-changes.js'
import type { Move } from './move-context.js'
import type { CollectionProgress } from './progress.js'
import { findElement } from './raw-document.js'

/** How often changes are followed during the copy, in milliseconds: the source's log must not run away. */
const FOLLOW_INTERVAL = 500

/** Documents from which on the end of a copy is told of. */
const WORTH_TELLING = 1_000

interface Tally { collections: number, total: number, copied: number, before: number, startedAt: number }

/** Copies every collection that is not copied yet, and follows changes meanwhile; tells of its end if it took a while. */
export async function copyCollections (move: Move): Promise<void> {
  const tally = await openTally(move)
  for (;;) {
    const next = [...move.progress.collections.values()].find(({ state, spec }) => state !== 'copied' && (spec.kind !== 'capped' || move.isFinal))
    if (next === undefined) break
    await copyCollection(move, next, tally)
  }
  if (tally.copied - tally.before >= WORTH_TELLING || performance.now() - tally.startedAt > 1_000) move.line.say(describeCopy(move, tally))
}

async function copyCollection (move: Move, started: CollectionProgress, tally: Tally): Promise<void> {
  const { target, progress, source } = move
  const { spec } = started
  let collection = started
  if (collection.state === 'new' || spec.kind === 'capped') {
    await target.create(spec)
    collection = { spec, state: 'copying', documents: 0 }
    await progress.save(collection)
  }
  if (spec.kind === 'capped') {
    // Capped collections keep the order in which documents came: there is no going on in the middle.
    for await (const documents of source.readAll(spec)) {
      await target.addMissing(spec, documents)
      collection.documents += documents.length
      tally.copied += documents.length
      move.checkInterrupt()
      move.line.show(() => describeCopy(move, tally))
    }
  } else if (spec.kind === 'collection' && !await copyDocuments(move, collection, tally)) return
  await progress.save({ spec, state: 'copied', documents: collection.documents })
  tally.collections++
}

/** @returns false if the collection was dropped or made anew meanwhile */
async function copyDocuments (move: Move, collection: CollectionProgress, tally: Tally): Promise<boolean> {
  const { source, target, progress, line } = move
  const { spec } = collection
  let followAt = performance.now() + FOLLOW_INTERVAL
  let ahead: Promise<Buffer[]> | undefined
  for (;;) {
    const documents = await (ahead ?? source.readAfter(spec, collection.last))
    ahead = undefined
    if (documents.length === 0) return true
    collection.last = findElement(documents.at(-1)!, '_id')!
    collection.documents += documents.length
    tally.copied += documents.length
    const isFollowDue = performance.now() > followAt
    if (!isFollowDue) ahead = source.readAfter(spec, collection.last)
    await Promise.all([target.addMissing(spec, documents), ahead])
    line.show(() => describeCopy(move, tally))
    if (!isFollowDue) continue
    await progress.save(collection)
    await followChanges(move, { milliseconds: FOLLOW_INTERVAL })
    if (progress.of(spec) !== collection) return false
    followAt = performance.now() + FOLLOW_INTERVAL
  }
}

async function openTally ({ source, progress }: Move): Promise<Tally> {
  const tally: Tally = { collections: 0, total: 0, copied: 0, before: 0, startedAt: performance.now() }
  for (const { spec, state, documents } of progress.collections.values()) {
    if (spec.kind !== 'view') tally.total += await source.count(spec)
    tally.before += documents
    if (state === 'copied') tally.collections++
  }
  tally.copied = tally.before
  return tally
}

function describeCopy ({ progress }: Move, { collections, total, copied, before, startedAt }: Tally): string {
  const rate = (copied - before) / Math.max(0.001, (performance.now() - startedAt) / 1000)
  const left = Math.max(0, total - copied)
  const percent = total === 0 ? 100 : Math.min(100, Math.floor(100 * copied / total))
  return `copying: ${percent} % · ${formatCount(copied)} of ${formatNumberOf(Math.max(total, copied), 'document')} · ${collections} of ${formatNumberOf(progress.collections.size, 'collection')} · ` +
    `${formatCount(Math.round(rate))}/s · ${formatDuration(left / Math.max(1, rate))} left`
}
