import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Environment, type Snapshot } from './environment.js'
import { JOURNAL_ID_BYTES, Journal } from './journal.js'
import { decodeChanges, encodeChanges } from './journal-record.js'
import { PendingChanges } from './pending-changes.js'
import { StoreView } from './view.js'

/** Where the trees say which period of the journal follows them. */
const JOURNAL_ID = Buffer.from('j')
/** A commit of more bytes goes into the trees at once, as copying it twice would cost more than the flush. */
const LARGEST_RECORD = 256 * 1024
/** Past as many changes a checkpoint comes early: it holds everything up, a millisecond for some four hundred. */
const MOST_PENDING = 5_000
/** How long a commit may be in the journal only: bounds what a start after a crash has to bring in. */
const CHECKPOINT_AFTER_MS = 1_000

export interface CommittedStateOptions {
  dataDir: string
  /** Told when a checkpoint fails that nobody waits for. */
  onWarning?: ((message: string) => void) | undefined
}

/**
 * Everything that is committed: the trees of LMDB, and over them the changes that only the journal has on disk.
 *
 * An LMDB commit writes every page on the way to what it changed, scattered over the file, then the meta page: two
 * flushes and a dozen disk operations for one small update. The journal takes the same change in one piece and one
 * flush; a checkpoint brings what gathered there into the trees in a single LMDB commit. This is what MongoDB's own
 * storage engine does (WiredTiger: journal and checkpoints).
 */
export class CommittedState {
  readonly environment: Environment
  /** What is committed, and inside a commit also what that has written. */
  readonly view: StoreView
  private readonly pending = new PendingChanges()
  private readonly journal: Journal
  private readonly onWarning: CommittedStateOptions['onWarning']
  private timer: NodeJS.Timeout | undefined

  constructor ({ dataDir, onWarning }: CommittedStateOptions) {
    this.onWarning = onWarning
    this.environment = new Environment(dataDir)
    this.journal = new Journal(join(dataDir, 'journal'))
    this.view = new StoreView(this.environment, { pending: this.pending })
    this.recover()
  }

  /**
   * Runs `work`, whose writes go through {@link view}, and flushes them: into the journal, or into the trees if they are
   * many or `isLarge` says so from the start. If it throws, nothing of it is kept.
   */
  commit (work: () => void, isLarge = false): void {
    if (isLarge) return this.commitToTrees(work)
    try {
      work()
      this.flush()
    } catch (error) {
      this.pending.undoTo(0)
      throw error
    }
    this.pending.keep()
  }

  /**
   * Runs a part of a commit that is not large. If it throws, what that part wrote is taken back and the commit can go on,
   * unless `keeps` says of the error that what came before it stays.
   */
  attempt<T> (part: () => T, keeps: (error: unknown) => boolean): T {
    const { length } = this.pending.ofCommit
    try {
      return part()
    } catch (error) {
      if (!keeps(error)) this.pending.undoTo(length)
      throw error
    }
  }

  /** Brings everything into the trees and starts the journal anew. */
  checkpoint (): void {
    if (!this.pending.isEmpty) this.commitToTrees(() => {})
  }

  /** A consistent view of this moment; the caller calls `done()` on it. */
  openSnapshot (): Snapshot {
    this.checkpoint()
    return this.environment.openSnapshot()
  }

  /** Copies a consistent image of this moment, or a later one, to `path` while writes go on. */
  async backup (path: string): Promise<void> {
    this.checkpoint()
    await this.environment.backup(path)
  }

  async close (): Promise<void> {
    this.checkpointIfPossible()
    clearTimeout(this.timer)
    this.journal.close()
    await this.environment.close()
  }

  private flush (): void {
    const changes = this.pending.ofCommit
    if (changes.length === 0) return
    const { parts, bytes } = encodeChanges(changes)
    if (bytes > LARGEST_RECORD || this.pending.size > MOST_PENDING || !this.journal.hasRoom(bytes)) return this.checkpoint()
    this.journal.append(parts, bytes)
    this.scheduleCheckpoint()
  }

  private scheduleCheckpoint (): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined
      this.checkpointIfPossible()
    }, CHECKPOINT_AFTER_MS).unref()
  }

  private commitToTrees (work: () => void): void {
    const { trees } = this.environment
    const id = randomBytes(JOURNAL_ID_BYTES)
    this.environment.commit(() => {
      this.pending.applyTo(trees)
      trees.catalog.putSync(JOURNAL_ID, id)
      this.view.writeThrough(work)
    })
    this.pending.clear()
    this.journal.restart(id)
    clearTimeout(this.timer)
    this.timer = undefined
  }

  private checkpointIfPossible (): void {
    try {
      this.checkpoint()
    } catch (error) {
      this.onWarning?.(`embedded store: a checkpoint failed, the latest writes stay in the journal: ${error instanceof Error ? error.message : String(error)}`)
      this.scheduleCheckpoint()
    }
  }

  /** Takes up what a process that ended without a checkpoint left in the journal: nothing needs writing for it. */
  private recover (): void {
    const id = this.environment.trees.catalog.getBinary(JOURNAL_ID)
    if (id === undefined) return this.commitToTrees(() => {})
    for (const record of this.journal.resume(id)) {
      for (const { tree, key, value } of decodeChanges(record)) this.pending.set(tree, key, value)
    }
    this.pending.keep()
    if (!this.pending.isEmpty) this.scheduleCheckpoint()
  }
}
