import type { ProgressLine } from '../progress-line.js'
import { AdminError, interrupted } from '../admin-error.js'
import { buildIndexes, dropTtlIndexes, isOrdinary, isTtl, verifyIndexes } from './build-indexes.js'
import { HistoryLost, type ChangeLog } from './change-log.js'
import { copyCollections } from './copy-collections.js'
import { catchUp, followChanges } from './follow-changes.js'
import type { Move } from './move-context.js'
import { formatNamespace } from './namespace.js'
import { Progress } from './progress.js'
import { reconcileCollections } from './reconcile.js'
import type { Source } from './source.js'
import type { Target } from './target.js'
import { verifyDocuments } from './verify.js'

export interface MoveOptions {
  source: Source
  target: Target
  line: ProgressLine
  /** True if nobody writes to the source any more: then the move is checked and ended. */
  isFinal: boolean
  /** Aborted when the user asks to stop. */
  signal: AbortSignal
}

export interface MoveResult { collections: number, documents: number, resumed: boolean }

/** How often a run looks for collections that came during the run, while others write. */
const LIVE_ROUNDS = 10

/**
 * Copies everything from the source to the target, or goes on with what an earlier run began: collections first, then
 * what has changed meanwhile, then indexes. A final run also compares both sides; indexes that delete old documents
 * are built last, so that the target stays as the source until then.
 * @throws AdminError
 */
export async function runMove (options: MoveOptions): Promise<MoveResult> {
  const { source, target, line } = options
  const earlier = await Progress.load(target)
  const progress = earlier ?? await beginMove(source, target)
  if (earlier !== undefined) await requireSameSource(source, progress)
  let changes = await openLog(source, progress, line)
  try {
    for (;;) {
      try {
        return { ...await runSteps({ ...options, progress, changes, checkInterrupt: () => { checkSignal(options.signal) } }), resumed: earlier !== undefined }
      } catch (error) {
        if (!(error instanceof HistoryLost)) throw error
        await changes.close()
        changes = await startOver(source, progress, line)
      }
    }
  } finally {
    await changes.close()
  }
}

async function beginMove (source: Source, target: Target): Promise<Progress> {
  const startAt = await source.now()
  await target.requireEmpty(new Set((await source.catalogue()).map(({ db }) => db)))
  return await Progress.begin(target, startAt)
}

async function requireSameSource (source: Source, progress: Progress): Promise<void> {
  const known = [...progress.collections.values()].filter(({ spec }) => spec.uuid !== '')
  if (known.length === 0) return
  const present = new Set((await source.catalogue()).map(({ uuid }) => uuid))
  if (known.some(({ spec }) => present.has(spec.uuid))) return
  throw new AdminError(`target: it holds the start of a move from another store (${formatNamespace(known[0]!.spec)} and others are not of this one); drop its database to start anew`)
}

async function openLog (source: Source, progress: Progress, line: ProgressLine): Promise<ChangeLog> {
  try {
    return await source.followFrom(progress.position)
  } catch (error) {
    if (!(error instanceof HistoryLost)) throw error
    return await startOver(source, progress, line)
  }
}

async function startOver (source: Source, progress: Progress, line: ProgressLine): Promise<ChangeLog> {
  line.say('The source no longer knows what has changed since the last run: copying everything again.')
  await progress.restart(await source.now())
  return await source.followFrom(progress.position)
}

async function runSteps (move: Move): Promise<Omit<MoveResult, 'resumed'>> {
  const { progress, isFinal } = move
  await reconcileCollections(move)
  // Following the changes of one round may find collections for the next; while others go on making some, that is
  // left to the last run.
  const rounds = isFinal ? Infinity : LIVE_ROUNDS
  for (let round = 0; round === 0 || (round < rounds && hasMoreToCopy(move)); round++) {
    await copyCollections(move)
    await catchUp(move)
    await reconcileCollections(move)
  }
  if (!isFinal || !progress.isVerified) {
    await buildIndexes(move, isOrdinary)
    if (await catchUp(move) > 0 && isFinal) throw stillWritten()
  }
  const collections = progress.collections.size
  if (isFinal) await finish(move)
  return { collections, documents: await countDocuments(move) }
}

async function countDocuments ({ source, progress }: Move): Promise<number> {
  let count = 0
  for (const { spec } of progress.collections.values()) if (spec.kind !== 'view') count += await source.count(spec)
  return count
}

async function finish (move: Move): Promise<void> {
  const { progress } = move
  if (!progress.isVerified) {
    await dropTtlIndexes(move)
    await verifyDocuments(move)
    if (await followChanges(move) > 0) throw stillWritten()
    await progress.saveVerified(true)
  }
  await buildIndexes(move, isTtl)
  await verifyIndexes(move)
  await progress.remove()
}

function hasMoreToCopy ({ progress, isFinal }: Move): boolean {
  return [...progress.collections.values()].some(({ state, spec }) => state !== 'copied' && (isFinal || spec.kind !== 'capped'))
}

const stillWritten = (): AdminError => new AdminError('source: something still writes to it; stop that, and run again')

function checkSignal (signal: AbortSignal): void {
  if (signal.aborted) throw interrupted('stopped; run the same command again to go on')
}
