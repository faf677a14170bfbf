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
