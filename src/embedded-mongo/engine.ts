import { CommandError } from './semantics/index.js'
import { Interrupt } from './interrupt.js'
import { Cursors } from './query/cursors.js'
import { Operations } from './operations.js'
import { ClaimedByTransaction, Claims } from './sessions/claims.js'
import { SnapshotReads } from './sessions/snapshot-reads.js'
import { Sessions } from './sessions/sessions.js'
import { Catalog } from './storage/catalog.js'
import { CommitQueue } from './storage/commit-queue.js'
import { CommittedState } from './storage/committed-state.js'
import { Oplog } from './storage/oplog.js'
import type { StoreView } from './storage/view.js'
import { CommitUnit, type WriteUnit } from './storage/write-unit.js'
import { Housekeeping } from './storage/housekeeping.js'
import { Watchers } from './streams/watchers.js'

export interface EngineOptions {
  dataDir: string
  /** How often documents past a TTL index's limit are removed, in milliseconds; default 20,000. */
  ttlIntervalMS?: number | undefined
  /** Bytes that the oplog may take up; default 256 MiB. */
  oplogBytes?: number | undefined
  /** How long a transaction may stay open, in milliseconds; default 60,000 as MongoDB's. */
  transactionLifetimeMS?: number | undefined
  onWarning?: ((message: string) => void) | undefined
}

/** The parts of the running store, and the one way to write to it. */
export class Engine {
  readonly options: EngineOptions
  readonly state: CommittedState
  /** Reads what is committed. */
  readonly view: StoreView
  readonly catalog = new Catalog()
  readonly oplog = new Oplog()
  readonly claims = new Claims()
  readonly sessions = new Sessions()
  readonly cursors = new Cursors()
  readonly watchers = new Watchers()
  readonly operations = new Operations()
  readonly snapshots: SnapshotReads
  readonly startedAt = Date.now()
  private readonly commits: CommitQueue
  private readonly unit: CommitUnit
  private readonly housekeeping: Housekeeping
  private readonly backups = new Set<Promise<void>>()

  constructor (options: EngineOptions) {
    this.options = options
    this.state = new CommittedState(options)
    this.view = this.state.view
    this.snapshots = new SnapshotReads(this.state)
    this.catalog.load(this.view)
    this.oplog.load(this.view)
    this.unit = new CommitUnit(this.view, this.catalog, this.oplog, this.claims)
    this.commits = new CommitQueue({
      state: this.state,
      isExpected,
      beforeCommit: () => { this.catalog.saveChanged(this.view) },
      afterCommit: () => {
        this.oplog.committed()
        this.watchers.wake()
      },
      afterAbort: what => {
        this.oplog.undone()
        if (what === 'job') this.catalog.saveMarked(this.view)
        this.catalog.load(this.view)
      }
    })
    this.housekeeping = new Housekeeping(this)
  }

  async start (): Promise<void> {
    await this.commit(unit => {
      // A log that is never empty gives every reply a time to resume a change stream from.
      if (this.oplog.clock.now.seconds === 0) {
        unit.log({ kind: 'n', db: '', coll: '', uuid: undefined, wallTime: Date.now(), key: Buffer.alloc(0) })
      }
    })
    this.housekeeping.start()
  }

  /**
   * Runs `job` inside a commit, flushed when the promise resolves. A job that meets a transaction's uncommitted change
   * is run again when that has ended: it must continue where it threw. `isLarge` says that it writes much; `interrupt` ends the waiting.
   */
  async commit<T> (job: (unit: WriteUnit) => T, isLarge = false, interrupt = new Interrupt()): Promise<T> {
    for (;;) {
      try {
        return await this.commits.run(() => this.runJob(job), isLarge)
      } catch (error) {
        if (!(error instanceof ClaimedByTransaction)) throw error
        await interrupt.until(error.ended)
      }
    }
  }

  private runJob<T> (job: (unit: WriteUnit) => T): T {
    this.catalog.markCounters()
    try {
      return job(this.unit)
    } finally {
      // Also when it threw: after an expected error what it wrote stays, after any other this is undone with the rest.
      this.unit.finish()
    }
  }

  /** Copies the data of this moment into a new file. */
  async backup (path: string): Promise<void> {
    const copying = this.state.backup(path)
    this.backups.add(copying)
    try {
      await copying
    } finally {
      this.backups.delete(copying)
    }
  }

  async close (): Promise<void> {
    this.housekeeping.stop()
    // The copying thread reads the open file.
    await Promise.allSettled(this.backups)
    this.cursors.closeAll()
    this.snapshots.close()
    for (const session of this.sessions.all()) this.sessions.end(session)
    await this.commits.drained()
    await this.state.close()
  }
}

function isExpected (error: unknown): boolean {
  return error instanceof CommandError || error instanceof ClaimedByTransaction
}
