export interface ExpiryTimerOptions {
  /** Ends what is past its time. @returns when the next is due, epoch milliseconds */
  sweep (): Promise<number | undefined>
  onError (error: unknown): void
  now: () => number
}

// Other nodes' commands are heard of as they come; what was missed is looked for this often.
const LONGEST_WAIT = 60_000
const RETRY = 1000

/** Ends commands when their time is over: one timer, set to the next that is due. */
export function createExpiryTimer ({ sweep, onError, now }: ExpiryTimerOptions) {
  let timer: NodeJS.Timeout | undefined
  let next = Infinity
  let sweeping: Promise<void> | undefined
  let closed = false

  const set = (at: number) => {
    next = at
    clearTimeout(timer)
    if (closed) return
    timer = setTimeout(() => { sweeping ??= run().finally(() => { sweeping = undefined }) }, Math.max(0, Math.min(LONGEST_WAIT, at - now())))
    timer.unref()
  }

  const run = async () => {
    // What is noted while the sweep runs may be due before what it finds.
    next = Infinity
    try {
      const due = await sweep()
      set(Math.min(next, due ?? Infinity))
    } catch (error) {
      if (!closed) onError(error)
      set(Math.min(next, now() + RETRY))
    }
  }

  return {
    /** Looks for what is due now, and from then on by itself. */
    start (): void { set(now()) },
    /** There is a command that ends then. */
    note (expiresAt: number): void {
      if (expiresAt >= next) return
      if (sweeping) next = expiresAt
      else set(expiresAt)
    },
    async close (): Promise<void> {
      closed = true
      clearTimeout(timer)
      await sweeping
    }
  }
}

export type ExpiryTimer = ReturnType<typeof createExpiryTimer>
