import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

export type SwarmCommand =
  | { do: 'open', url: string, key: string, clients: number, channels: string[] }
  /** Cuts one client each `interval` milliseconds; 0 ends it. */
  | { do: 'disrupt', interval: number }
  /** Compares what each client got with what was published. */
  | { do: 'judge', expected: Record<string, number[]> }

/** What a swarm's clients have come to. */
export interface Verdict {
  /** Where a client's messages were not what was published, in that order; at most ten. */
  faults: string[]
  reconnects: number
  /** Resumes that the server said it could not make complete. */
  unrecovered: number
  dropped: number
}

export type SwarmReport = { live: number, subscribed: number, ended: number } | Verdict

export interface Swarm {
  /** Resolves when so many clients are live. */
  live (count: number): Promise<void>
  /** Resolves when so many clients are subscribed to all channels. */
  subscribed (count: number): Promise<void>
  /** Resolves when the last message came so often, over all clients and channels. */
  ended (count: number): Promise<void>
  disrupt (interval: number): void
  judge (expected: Record<string, number[]>): Promise<Verdict>
}

/** Clients of the library in a process of their own, ended after the test. Each channel must have a snapshot. */
export function startSwarm (t: Test, options: Omit<Extract<SwarmCommand, { do: 'open' }>, 'do'>): Swarm {
  const child = fork(fileURLToPath(new URL('swarm.ts', import.meta.url)), { execArgv: ['--import=tsx'] })
  t.teardown(async () => {
    child.kill()
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  const counts = { live: 0, subscribed: 0, ended: 0 }
  const checks = new Set<() => void>()
  let settle: ((verdict: Verdict) => void) | undefined
  child.on('message', (message: SwarmReport) => {
    if ('faults' in message) return settle?.(message)
    counts.live = message.live
    counts.subscribed += message.subscribed
    counts.ended = message.ended
    for (const check of checks) check()
  })
  const reached = (what: keyof typeof counts, count: number) => new Promise<void>((resolve) => {
    const check = () => {
      if (counts[what] < count) return
      checks.delete(check)
      resolve()
    }
    checks.add(check)
    check()
  })
  const tell = (command: SwarmCommand) => { child.send(command) }
  tell({ do: 'open', ...options })
  return {
    live: (count) => reached('live', count),
    subscribed: (count) => reached('subscribed', count),
    ended: (count) => reached('ended', count),
    disrupt: (interval) => tell({ do: 'disrupt', interval }),
    judge: (expected) => new Promise((resolve) => {
      settle = resolve
      tell({ do: 'judge', expected })
    })
  }
}
