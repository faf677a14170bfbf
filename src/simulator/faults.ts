import type { Random } from './random.js'

/** What is wrong with a car at the moment. */
export interface Faults {
  /** It sends nothing. */
  readonly silent: boolean
  /** Its motor is hardly cooled. */
  readonly overheating: boolean
  /** Its engine lamp is on for no reason seen in other signals. */
  readonly lamp: boolean
  step (seconds: number): void
}

const kinds = [
  { kind: 'silent', share: 0.35, shortest: 12, longest: 40 },
  { kind: 'overheating', share: 0.3, shortest: 120, longest: 240 },
  { kind: 'lamp', share: 0.35, shortest: 30, longest: 90 }
] as const

/** Mean seconds from the end of a fault to the next. */
const MEAN_PAUSE = 420

/** One fault at a time, after pauses of random length. */
export function createFaults (random: Random): Faults {
  const pause = () => -Math.log(1 - random.next()) * MEAN_PAUSE
  let current: typeof kinds[number]['kind'] | null = null
  let left = 20 + pause()

  const change = () => {
    if (current) {
      current = null
      left = pause()
      return
    }
    let draw = random.next()
    const chosen = kinds.find(({ share }) => (draw -= share) < 0) ?? kinds[0]
    current = chosen.kind
    left = random.between(chosen.shortest, chosen.longest)
  }

  return {
    get silent () { return current === 'silent' },
    get overheating () { return current === 'overheating' },
    get lamp () { return current === 'lamp' },
    step (seconds) {
      left -= seconds
      if (left <= 0) change()
    }
  }
}
