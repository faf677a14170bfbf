import { ReplayClock } from './replay-clock.js'

export type ReplayStatus = 'playing' | 'paused' | 'ended'

export interface ScheduleOptions {
  /** Epoch milliseconds at which playing ends. */
  to: number
  /** Where it begins. */
  position: number
  /** Times as fast as it was. */
  speed: number
  paused: boolean
}

// Milliseconds by which a sample may leave early, so that a timer which fires a little early is not set again for nothing.
const EARLY = 0.5
// Samples below which more are read.
const LOW = 250

/**
 * What is due when: samples in the order they are fed, each when the clock reaches its time.
 * The clock stands while it is paused, while the client is slow, and until there is something
 * to play; where reading takes longer than the gap between two samples it waits, so that
 * none is skipped and none leaves in a burst. Knows no timers: it is told the time, in
 * milliseconds that never go back.
 */
export class ReplaySchedule<Sample extends { ts: number }> {
  readonly to: number
  readonly #clock: ReplayClock
  #queue: Sample[] = []
  #head = 0
  /** All there is has been fed. */
  #complete = false
  /** Something has been fed since the beginning or the last seek. */
  #primed = false
  #paused: boolean
  #held = false
  #ended = false
  /** As far as was played; what is fed next may come later than the clock says. */
  #played: number

  constructor ({ to, position, speed, paused }: ScheduleOptions) {
    this.to = to
    this.#clock = new ReplayClock(position, speed)
    this.#paused = paused
    this.#played = position
  }

  get speed (): number { return this.#clock.speed }
  get status (): ReplayStatus { return this.#ended ? 'ended' : this.#paused ? 'paused' : 'playing' }
  /** True when more samples should be read. */
  get wanting (): boolean { return !this.#complete && this.#queue.length - this.#head < LOW }

  /** Epoch milliseconds. */
  position (now: number): number {
    return Math.min(this.to, this.#starved ? Math.min(this.#clock.position(now), this.#played) : this.#clock.position(now))
  }

  /** Adds the samples that follow those fed before. */
  feed (samples: readonly Sample[], complete: boolean, now: number): void {
    // Reading took longer than the gap: that much is played later.
    const [next] = samples
    const resumed = this.#starved ? Math.min(this.#clock.position(now), Math.max(this.#played, next?.ts ?? this.to)) : null
    this.#queue = [...this.#queue.slice(this.#head), ...samples]
    this.#head = 0
    this.#complete = complete
    this.#primed = true
    if (resumed !== null) this.#clock.moveTo(resumed, now)
    this.#turn(now)
  }

  /** The next sample if it is due. */
  take (now: number): Sample | undefined {
    const next = this.#queue[this.#head]
    if (!next || !this.#clock.running || this.#clock.until(next.ts, now) > EARLY) return undefined
    this.#head++
    this.#played = next.ts
    return next
  }

  /** True once, when the end has been reached. */
  end (now: number): boolean {
    if (!this.#atEnd || !this.#clock.running || this.#clock.until(this.to, now) > EARLY) return false
    this.#ended = true
    this.#turn(now)
    this.#clock.moveTo(this.to, now)
    return true
  }

  /** Milliseconds until the next is due; Infinity while nothing can become due by itself. */
  wait (now: number): number {
    const next = this.#queue[this.#head]
    if (!next && !this.#atEnd) return Infinity
    return Math.max(0, this.#clock.until(next?.ts ?? this.to, now))
  }

  pause (now: number): void {
    this.#paused = true
    this.#turn(now)
  }

  /** Goes on, at another speed if one is given. After the end there is nothing to go on with. */
  resume (now: number, speed = this.#clock.speed): void {
    this.#paused = false
    this.#clock.setSpeed(speed, now)
    this.#turn(now)
  }

  /** Goes elsewhere; what is to be played from there has to be fed. */
  seek (position: number, now: number): void {
    this.#queue = []
    this.#head = 0
    this.#complete = false
    this.#primed = false
    this.#ended = false
    this.#played = position
    this.#turn(now)
    this.#clock.moveTo(position, now)
  }

  /** Stands still while the client is slow. */
  hold (held: boolean, now: number): void {
    this.#held = held
    this.#turn(now)
  }

  get #atEnd (): boolean { return this.#complete && this.#head >= this.#queue.length }
  /** Nothing is left to play, and more is to come. */
  get #starved (): boolean { return !this.#complete && this.#head >= this.#queue.length }

  /** Starts or stops the clock. */
  #turn (now: number): void {
    this.#clock.run(this.#primed && !this.#paused && !this.#held && !this.#ended, now)
  }
}
