import { CommandError } from './semantics/index.js'

/** How long work runs before others get their turn, in milliseconds. */
export const SLICE_MS = 8

/** Lets a command be stopped by its maxTimeMS, its connection closing, or killOp-like commands. */
export class Interrupt {
  private deadline: number
  private reason: CommandError | undefined
  private listeners = new Set<() => void>()

  constructor (maxTimeMS?: number) {
    this.deadline = maxTimeMS === undefined || maxTimeMS === 0 ? Infinity : performance.now() + maxTimeMS
  }

  /** Throws if the command should stop. */
  check (): void {
    if (this.reason !== undefined) throw this.reason
    if (performance.now() > this.deadline) throw new CommandError(50, 'operation exceeded time limit')
  }

  get isStopped (): boolean {
    return this.reason !== undefined
  }

  /** Milliseconds left of maxTimeMS. */
  get remaining (): number {
    return this.deadline - performance.now()
  }

  /** Stops the command after so many milliseconds, unless it has to sooner. */
  limit (milliseconds: number): void {
    this.deadline = Math.min(this.deadline, performance.now() + milliseconds)
  }

  stop (reason = new CommandError(11601, 'operation was interrupted')): void {
    this.reason = reason
    for (const listener of this.listeners) listener()
    this.listeners.clear()
  }

  /** Calls `listener` when the command is stopped; returns what takes it back. */
  onStop (listener: () => void): () => void {
    if (this.reason !== undefined) listener()
    else this.listeners.add(listener)
    return () => { this.listeners.delete(listener) }
  }

  /** Waits for something else, but no longer than the command may run. */
  async until (event: Promise<void>): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer)
        unhook()
        resolve()
      }
      const timer = this.remaining === Infinity ? undefined : setTimeout(finish, Math.max(0, this.remaining) + 1)
      let unhook = (): void => {}
      unhook = this.onStop(finish)
      event.then(finish, reject)
    })
    this.check()
  }

  /** Lets other work run, then checks. */
  async yield (): Promise<void> {
    await new Promise<void>(resolve => { setImmediate(resolve) })
    this.check()
  }
}

/** Most calls between two looks at the clock, which cost more than reading an entry. */
const CLOCK_EVERY = 32

/** The time that work has before others get their turn. */
export class Slice {
  private readonly milliseconds: number
  private calls = 0
  private every = 1
  private looked = performance.now()
  private end: number

  constructor (milliseconds = SLICE_MS) {
    this.milliseconds = milliseconds
    this.end = this.looked + milliseconds
  }

  /** To be called once for each entry or document. */
  isOver (): boolean {
    if (++this.calls < this.every) return false
    const now = performance.now()
    // Where one takes long, as with an expression over a large array, the clock is looked at after each.
    this.every = now - this.looked > SLICE_MS / CLOCK_EVERY ? 1 : Math.min(CLOCK_EVERY, this.every * 2)
    this.calls = 0
    this.looked = now
    return now >= this.end
  }

  restart (): void {
    this.looked = performance.now()
    this.end = this.looked + this.milliseconds
  }
}
