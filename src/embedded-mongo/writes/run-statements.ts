import { ErrorCodes, CommandError, type Document } from '../semantics/index.js'
import { Slice } from '../interrupt.js'
import type { CommandContext } from '../commands/context.js'
import type { WriteUnit } from '../storage/write-unit.js'
import type { Statement, StepOutcome } from './statements.js'

/** How long one commit works on a command's statements, in milliseconds. */
const COMMIT_MS = 20

/** A request of more bytes is not copied into the journal first. */
const LARGE_BYTES = 64 * 1024

/** How far a command got. Of retryable writes it is stored with each commit, so that a repeat goes on from there. */
export interface Progress {
  at: number
  /** Results by statement, as the command wants them. */
  results: Document[]
  errors: Document[]
}

export interface StatementList {
  count: number
  ordered: boolean
  /** Makes the statement at a place; called when it is its turn. */
  make: (index: number) => Statement
  /** What to keep of a statement's result. */
  report: (index: number, statement: Statement, progress: Progress) => void
}

/** Runs statements in order, in as few commits as they fit in; errors are kept with their place. */
export async function runStatements (context: CommandContext, list: StatementList): Promise<Progress> {
  const progress: Progress = { at: 0, results: [], errors: [] }
  const runner = new StatementRunner(context, list, progress)
  if (context.transaction !== undefined) {
    runner.step(context.transaction, false)
    return progress
  }
  const isLarge = requestBytes(context) > LARGE_BYTES
  for (;;) {
    const outcome = await context.engine.commit(unit => runner.step(unit, true), isLarge, context.interrupt)
    if (outcome === 'done') return progress
    if (outcome === 'scan') await runner.scan()
    else await context.interrupt.yield()
  }
}

function requestBytes ({ raw, sequences }: CommandContext): number {
  let bytes = raw.length
  for (const documents of sequences.values()) for (const document of documents) bytes += document.length
  return bytes
}

class StatementRunner {
  private readonly context: CommandContext
  private readonly list: StatementList
  private readonly progress: Progress
  private current: Statement | undefined
  private isResumed = false
  private hasWritten = false

  constructor (context: CommandContext, list: StatementList, progress: Progress) {
    this.context = context
    this.list = list
    this.progress = progress
  }

  step (unit: WriteUnit, canWait: boolean): StepOutcome {
    this.resume(unit)
    const { logged } = unit
    try {
      return this.advance(unit, canWait)
    } finally {
      this.hasWritten ||= unit.logged > logged
      if (this.hasWritten) this.save(unit)
    }
  }

  private advance (unit: WriteUnit, canWait: boolean): StepOutcome {
    const deadline = performance.now() + COMMIT_MS
    const slice = new Slice(COMMIT_MS)
    const { list, progress } = this
    while (progress.at < list.count) {
      if (canWait && slice.isOver()) return 'more'
      const outcome = this.runOne(unit, deadline, canWait)
      if (outcome !== 'done') return outcome
      progress.at++
      if (progress.errors.length > 0 && list.ordered) break
    }
    progress.at = list.count
    return 'done'
  }

  async scan (): Promise<void> {
    await this.current?.scan(this.context.interrupt)
  }

  private runOne (unit: WriteUnit, deadline: number, canWait: boolean): StepOutcome {
    const { list, progress } = this
    try {
      this.current ??= list.make(progress.at)
      const outcome = this.current.run(unit, deadline, canWait)
      if (outcome !== 'done') return outcome
      list.report(progress.at, this.current, progress)
    } catch (error) {
      if (!(error instanceof CommandError) || isTransient(error)) throw error
      progress.errors.push({ index: progress.at, ...describeError(error) })
    }
    this.current = undefined
    return 'done'
  }

  /** A repeat of a write that was made before, or begun, takes up where that got to. */
  private resume (unit: WriteUnit): void {
    const { session, txnNumber, transaction, engine } = this.context
    if (this.isResumed || session === undefined || txnNumber === undefined || transaction !== undefined) return
    this.isResumed = true
    const known = engine.sessions.findRetry(unit.view, session, txnNumber)
    if (known === undefined) return
    const { at, results, errors } = known as unknown as Progress
    Object.assign(this.progress, { at: Number(at), results, errors })
  }

  /** A write that has changed nothing so far is not stored: a repeat may as well try again. */
  private save (unit: WriteUnit): void {
    const { session, txnNumber, transaction, engine } = this.context
    if (session === undefined || txnNumber === undefined || transaction !== undefined) return
    engine.sessions.saveRetry(unit.view, session, txnNumber, { ...this.progress })
  }
}

/** Errors that end the whole command rather than one statement. */
function isTransient (error: CommandError): boolean {
  return error.code === ErrorCodes.WriteConflict || error.errorLabels?.includes('TransientTransactionError') === true
}

export function describeError (error: CommandError): Document {
  return { code: error.code, errmsg: error.message, ...error.details }
}
