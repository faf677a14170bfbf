import { PitwallError } from '../../errors.js'
import type { ReplayState } from '../../schemas/replay.js'
import type { ChannelRule } from '../channels.js'
import type { Connection } from '../connection.js'
import { Delivery } from '../delivery.js'
import { Subscription } from '../subscription.js'
import type { Past, PastPosition, PastSample } from './past.js'
import { formatReplayCursor } from './replay-cursor.js'
import { ReplaySchedule } from './replay-schedule.js'

// The longest a timer is set for, in milliseconds; gaps may be longer than a timer can be.
const LONGEST_WAIT = 3_600_000
// Milliseconds until a read that failed is tried again.
const RETRY = 1000

const now = () => performance.now()

/**
 * A subscription of `replay:VEHICLE`: plays stored samples to one client in their own time.
 * Reads ahead a page at a time, has one timer, and waits for a client that is slow.
 */
export class Replay extends Subscription {
  /** Resolves when it has begun, or ended without. */
  readonly beginning: Promise<void>
  #markBegun = () => {}
  readonly #onClose: () => void
  readonly #onError: (error: unknown) => void
  #past: Past | null = null
  #schedule: ReplaySchedule<PastSample> | null = null
  /** The last that was played: what a cursor says. */
  #played: PastPosition = { ts: 0 }
  /** The last that was read: where the next page begins. */
  #read: PastPosition = { ts: 0 }
  /** Counts seeks: a page read before one is of no use after it. */
  #seeks = 0
  #reading = false
  #waiting = false
  #closed = false
  #timer: NodeJS.Timeout | undefined
  #retry: NodeJS.Timeout | undefined

  constructor (connection: Connection, channel: string, rule: ChannelRule, { onClose, onError }: { onClose (): void, onError (error: unknown): void }) {
    super(connection, channel, rule, 'data')
    this.beginning = new Promise((resolve) => { this.#markBegun = resolve })
    this.#onClose = onClose
    this.#onError = onError
  }

  /** Nothing is published to a replay. */
  override offer (): void {}

  override close (): void {
    if (this.#closed) return
    this.#closed = true
    this.#markBegun()
    clearTimeout(this.#timer)
    clearTimeout(this.#retry)
    this.#onClose()
    super.close()
  }

  /** Begins to play. The client has been told nothing yet: the first sample leaves in a later turn. */
  begin (past: Past, position: PastPosition, { speed, paused }: { speed: number, paused: boolean }): void {
    this.#past = past
    this.#schedule = new ReplaySchedule({ to: past.to, position: position.ts, speed, paused })
    this.#played = this.#read = position
    this.#markBegun()
    this.#fill()
  }

  /** Plays on from another time, in epoch milliseconds. @throws VALIDATION_FAILED outside its range, CONFLICT if it did not begin */
  seek (position: number): void {
    const { past, schedule } = this.#begun()
    if (!(position >= past.from && position <= past.to)) {
      const range = `${new Date(past.from).toISOString()} and ${new Date(past.to).toISOString()}`
      throw new PitwallError('VALIDATION_FAILED', `to must be between ${range}`, { errors: [{ path: '/to', message: `must be between ${range}` }] })
    }
    schedule.seek(position, now())
    this.#played = this.#read = { ts: position }
    this.#seeks++
    clearTimeout(this.#timer)
    this.#fill()
  }

  /** @throws CONFLICT if it did not begin */
  pause (): void {
    this.#begun().schedule.pause(now())
    clearTimeout(this.#timer)
  }

  /** Goes on, at another speed if one is given. @throws CONFLICT if it did not begin */
  resume (speed?: number): void {
    this.#begun().schedule.resume(now(), speed)
    this.#play()
  }

  /** Where it is. @throws CONFLICT if it did not begin */
  describe (): ReplayState {
    const { schedule } = this.#begun()
    return {
      cursor: formatReplayCursor(this.#played),
      state: schedule.status,
      position: new Date(Math.floor(schedule.position(now()))).toISOString(),
      speed: schedule.speed
    }
  }

  #begun (): { past: Past, schedule: ReplaySchedule<PastSample> } {
    if (!this.#past || !this.#schedule) throw new PitwallError('CONFLICT', `${this.channel} did not begin`)
    return { past: this.#past, schedule: this.#schedule }
  }

  /** Sends what is due, and sets the timer for what is next. */
  #play (): void {
    const schedule = this.#schedule
    if (this.#closed || !schedule) return
    clearTimeout(this.#timer)
    const { outbox } = this.connection
    for (let sample = this.#waiting ? undefined : schedule.take(now()); sample; sample = outbox.congested ? undefined : schedule.take(now())) this.#send(sample)
    if (outbox.congested) this.#awaitClient(schedule)
    this.#fill()
    if (schedule.end(now())) {
      this.#played = { ts: schedule.to }
      this.connection.send({ type: 'replay', channel: this.channel, ...this.describe() })
    }
    const wait = schedule.wait(now())
    if (wait < Infinity) this.#timer = setTimeout(() => this.#play(), Math.min(LONGEST_WAIT, wait)).unref()
  }

  /** Nothing is played while the client cannot take it, and nothing is skipped. */
  #awaitClient (schedule: ReplaySchedule<PastSample>): void {
    if (this.#waiting) return
    this.#waiting = true
    schedule.hold(true, now())
    this.connection.outbox.drained().then(() => {
      this.#waiting = false
      schedule.hold(false, now())
      this.#play()
    }).catch(this.#onError)
  }

  #send ({ ts, id, json }: PastSample): void {
    this.#played = { ts, id }
    const cursor = formatReplayCursor(this.#played)
    this.connection.outbox.push(Delivery.own(`{"type":"data","channel":${JSON.stringify(this.channel)},"cursor":"${cursor}","ts":"${new Date(ts).toISOString()}","data":${json}}`))
  }

  /** Reads the next page, when it is wanted and none is being read. */
  #fill (): void {
    if (this.#closed || this.#reading || !this.#schedule?.wanting) return
    this.#reading = true
    this.#readPage(this.#begun()).then(() => {
      this.#reading = false
      this.#play()
    }).catch((error: unknown) => {
      this.#onError(error)
      if (this.#closed) return
      this.#retry = setTimeout(() => {
        this.#reading = false
        this.#fill()
      }, RETRY).unref()
    })
  }

  async #readPage ({ past, schedule }: { past: Past, schedule: ReplaySchedule<PastSample> }): Promise<void> {
    const seeks = this.#seeks
    const { samples, complete } = await past.read(this.#read)
    if (this.#closed || seeks !== this.#seeks) return
    const last = samples.at(-1)
    if (last) this.#read = last
    schedule.feed(samples, complete, now())
  }
}
