import type { CommittedState } from './committed-state.js'

interface Job {
  run: () => unknown
  isLarge: boolean
  resolve: (result: unknown) => void
  reject: (error: unknown) => void
}

interface Outcome { job: Job, result?: unknown, error?: unknown, failed: boolean }

/** How long one commit gathers jobs before it is flushed and other work gets its turn, in milliseconds. */
const SLICE_MS = 12

/** An error that a job means: what it wrote before stays. Any other undoes the job. */
export type IsExpected = (error: unknown) => boolean

export interface CommitQueueOptions {
  state: CommittedState
  isExpected: IsExpected
  /** Called inside each commit after its jobs. */
  beforeCommit: () => void
  /** Called after each flush, before the writers are told. */
  afterCommit: () => void
  /**
   * Called when a commit was undone, or one of its jobs, after which the commit goes on: to bring memory back in line
   * with what is stored.
   */
  afterAbort: (what: 'commit' | 'job') => void
}

/**
 * Group commit. Jobs that wait at the same time share one commit and one flush; each promise settles after the flush
 * returned. Jobs are synchronous, run in order, and see what those before them wrote.
 */
export class CommitQueue {
  private readonly options: CommitQueueOptions
  private waiting: Job[] = []
  private scheduled = false
  private idleResolvers: Array<() => void> = []

  constructor (options: CommitQueueOptions) {
    this.options = options
  }

  /**
   * Runs `job` inside a commit; resolves with its result once that is flushed. `isLarge` says that it writes much, and so
   * is better written where it belongs at once.
   */
  async run<T> (job: () => T, isLarge = false): Promise<T> {
    return await new Promise<T>((resolve, reject) => {
      this.waiting.push({ run: job, isLarge, resolve: resolve as (result: unknown) => void, reject })
      this.schedule()
    })
  }

  /** Resolves when nothing waits. */
  async drained (): Promise<void> {
    if (this.waiting.length === 0) return
    await new Promise<void>(resolve => { this.idleResolvers.push(resolve) })
  }

  private schedule (): void {
    if (this.scheduled) return
    this.scheduled = true
    setImmediate(() => {
      this.scheduled = false
      this.commitWaiting()
      if (this.waiting.length > 0) return this.schedule()
      for (const resolve of this.idleResolvers.splice(0)) resolve()
    })
  }

  /** One commit: jobs in the order they came, as many as fit in a slice, or one large job alone. */
  private commitWaiting (): void {
    const { state, beforeCommit, afterCommit, afterAbort } = this.options
    const outcomes: Outcome[] = []
    const isLarge = this.waiting[0]?.isLarge === true
    const jobs: Job[] = []
    const isOpen = (start: number): boolean => this.waiting.length > 0 && (jobs.length === 0 || (!isLarge && !this.waiting[0]!.isLarge && performance.now() - start < SLICE_MS))
    try {
      state.commit(() => {
        for (const start = performance.now(); isOpen(start);) {
          const job = this.waiting.shift()!
          jobs.push(job)
          outcomes.push(this.attempt(job))
        }
        beforeCommit()
      }, isLarge)
    } catch (error) {
      afterAbort('commit')
      // None of them is stored. They aren't run again: what they hold in memory has moved on.
      for (const job of jobs) job.reject(error)
      return
    }
    afterCommit()
    outcomes.forEach(settle)
  }

  private attempt (job: Job): Outcome {
    const { state, isExpected, afterAbort } = this.options
    try {
      return { job, result: job.isLarge ? job.run() : state.attempt(job.run, isExpected), failed: false }
    } catch (error) {
      if (!isExpected(error)) {
        if (job.isLarge) throw error
        afterAbort('job')
      }
      return { job, error, failed: true }
    }
  }
}

function settle ({ job, result, error, failed }: Outcome): void {
  if (failed) job.reject(error)
  else job.resolve(result)
}
