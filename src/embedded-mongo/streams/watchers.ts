import type { Interrupt } from '../interrupt.js'

/** Wakes change streams that wait for the next commit. */
export class Watchers {
  private readonly waiting = new Set<() => void>()

  /** Called after each flush. */
  wake (): void {
    if (this.waiting.size === 0) return
    const listeners = [...this.waiting]
    this.waiting.clear()
    for (const listener of listeners) listener()
  }

  /** Calls `listener` once, at the next commit; returns what takes it back. */
  onCommit (listener: () => void): () => void {
    this.waiting.add(listener)
    return () => { this.waiting.delete(listener) }
  }
}

/** Waits for commits, one after the other, on behalf of one cursor. */
export class CommitWait {
  private readonly watchers: Watchers
  private wakeUp: (() => void) | undefined

  constructor (watchers: Watchers) {
    this.watchers = watchers
  }

  /** Resolves at the next commit, at the end of the time, or when {@link end} is called. @throws CommandError when interrupted */
  async next (milliseconds: number, interrupt: Interrupt): Promise<void> {
    await new Promise<void>(resolve => {
      const finish = (): void => {
        clearTimeout(timer)
        forget()
        unhook()
        this.wakeUp = undefined
        resolve()
      }
      const timer = setTimeout(finish, milliseconds)
      const forget = this.watchers.onCommit(finish)
      this.wakeUp = finish
      let unhook = (): void => {}
      unhook = interrupt.onStop(finish)
    })
    interrupt.check()
  }

  end (): void {
    this.wakeUp?.()
  }
}
