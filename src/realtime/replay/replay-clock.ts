/**
 * Where in the past a replay is: a position that moves `speed` times as fast as the time it
 * is told. All times are milliseconds; `now` must not go back.
 */
export class ReplayClock {
  #position: number
  #speed: number
  #since = 0
  #running = false

  /** Stands still at a position. */
  constructor (position: number, speed: number) {
    this.#position = position
    this.#speed = speed
  }

  get speed (): number { return this.#speed }
  get running (): boolean { return this.#running }

  position (now: number): number {
    return this.#running ? this.#position + (now - this.#since) * this.#speed : this.#position
  }

  /** Milliseconds until a position is reached, negative when it was; Infinity while the clock stands. */
  until (position: number, now: number): number {
    return this.#running ? (position - this.position(now)) / this.#speed : Infinity
  }

  run (running: boolean, now: number): void {
    this.moveTo(this.position(now), now)
    this.#running = running
  }

  setSpeed (speed: number, now: number): void {
    this.moveTo(this.position(now), now)
    this.#speed = speed
  }

  moveTo (position: number, now: number): void {
    this.#position = position
    this.#since = now
  }
}
