import type { Environment } from './environment.js'

interface Job {
  run: () => unknown
  resolve: (result: unknown) => void
  reject: (error: unknown) => void
}

interface Outcome { job: Job, result?: unknown, error?: unknown, failed: boolean }

/** How long one commit gathers jobs before it is flushed and other work gets its turn, in milliseconds. */
const SLICE_MS = 12

/** An error that a job means: what it wrote before stays. Any other undoes the whole commit. */
export type IsExpected = (error: unknown) => boolean

export interface CommitQueueOptions {
  environment: Environment
  isExpected: IsExpected
  /** Called inside each commit after its jobs. */
  beforeCommit: () => void
  /** Called after each flush, before the writers are told. */
  afterCommit: () => void
  /** Called when a commit was undone, to bring memory back in line with the disk. */
  afterAbort: () => void
}

/**
 * Group commit. Jobs that wait at the same time share one LMDB transaction and one flush; each promise settles after
 * the flush returned. Jobs are synchronous, run in order, and see what those before them wrote.
 */
export class CommitQueue {
  private readonly options: CommitQueueOptions
  private waiting: Job[] = []
  private scheduled = false
  private idleResolvers: Array<() => void> = []

  constructor (options: CommitQueueOptions) {
    this.options = options
  }

  /** Runs `job` inside a commit; resolves with its result once that is flushed. */
  async run<T> (job: () => T): Promise<T> {
    return await new Promise<T>((resolve, reject) => {
      this.waiting.push({ run: job, resolve: resolve as (result: unknown) => void, reject })
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

  private commitWaiting (): void {
    const outcomes: Outcome[] = []
    const jobs = this.waiting
    let taken = 0
    try {
      this.options.environment.commit(() => {
        const start = performance.now()
        while (taken < jobs.length && (taken === 0 || performance.now() - start < SLICE_MS)) {
          const job = jobs[taken++]!
          outcomes.push(this.attempt(job))
        }
        this.options.beforeCommit()
      })
    } catch (error) {
      this.waiting = jobs.slice(taken)
      this.options.afterAbort()
      if (taken === 1) return jobs[0]!.reject(error)
      // One of several jobs failed: each is tried by itself, so that only the guilty one sees the error.
      for (const job of jobs.slice(0, taken)) this.commitAlone(job)
      return
    }
    this.waiting = jobs.slice(taken)
    this.options.afterCommit()
    outcomes.forEach(settle)
  }

  private commitAlone (job: Job): void {
    let outcome: Outcome | undefined
    try {
      this.options.environment.commit(() => {
        outcome = this.attempt(job)
        this.options.beforeCommit()
      })
    } catch (error) {
      this.options.afterAbort()
      return job.reject(error)
    }
    this.options.afterCommit()
    if (outcome !== undefined) settle(outcome)
  }

  private attempt (job: Job): Outcome {
    try {
      return { job, result: job.run(), failed: false }
    } catch (error) {
      if (!this.options.isExpected(error)) throw error
      return { job, error, failed: true }
    }
  }
}

function settle ({ job, result, error, failed }: Outcome): void {
  if (failed) job.reject(error)
  else job.resolve(result)
}
