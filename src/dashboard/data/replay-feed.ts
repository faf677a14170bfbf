import type { Client, ClientError } from '../../client/index.js'
import { loadPast, type PastPart } from './focus-feed.js'
import { readSample, readTime } from './parse.js'
import { addSample, createHistory, type VehicleHistory } from './vehicle-history.js'

export type ReplayPhase = 'opening' | 'playing' | 'paused' | 'ended'

/** What is replayed and where it begins: epoch milliseconds, and times as fast as it was. */
export interface ReplayOptions { from: number, to: number, position: number, speed: number }

export interface ReplayFeed {
  readonly vehicle: string
  readonly from: number
  readonly to: number
  readonly phase: ReplayPhase
  readonly speed: number
  /** What has been played and what was stored before it; another one after each seek. */
  readonly history: VehicleHistory
  /** The time that is being played, epoch milliseconds; it moves on between two samples. */
  position (): number
  /** Reads a part of what was stored before the position. */
  load (part: PastPart): Promise<void>
  seek (position: number): void
  pause (): void
  resume (speed?: number): void
  close (): void
}

// Seconds of the page's own time by which the position may run ahead of what comes: then the server waits for something.
const AHEAD = 1

/**
 * Replays one vehicle.
 * @param onChange called when phase or speed are others
 * @param onError called when the server refuses, after which nothing more comes
 */
export function openReplay (client: Client, vehicle: string, options: ReplayOptions, onChange: () => void, onError: (error: ClientError) => void): ReplayFeed {
  const { from, to } = options
  const channel = `replay:${vehicle}` as const
  let history = createHistory(vehicle)
  let phase: ReplayPhase = 'opening'
  let { speed } = options
  let known = { position: options.position, at: performance.now() }
  // What comes until the answer to a seek was played before it.
  let seeking = 0

  const position = () => Math.min(to, phase === 'playing' ? known.position + (performance.now() - known.at) * speed : known.position)
  const stand = (at: number) => { known = { position: at, at: performance.now() } }

  const subscription = client.channel(channel, { from, to, speed, since: options.position })
  subscription.on('replay', (told) => {
    phase = told.state
    speed = told.speed
    if (seeking <= 1) stand(readTime(told.position))
    // Told once, at the beginning: where nothing is stored yet there is nothing to wait for.
    if ('first' in told && typeof told.first === 'string' && readTime(told.first) > readTime(told.position)) seek(readTime(told.first))
    onChange()
  })
  subscription.on('message', ({ data }) => {
    const sample = readSample(data)
    if (!sample) return
    addSample(history, sample)
    if (seeking === 0 && position() - sample.ts > AHEAD * 1000 * speed) stand(sample.ts)
  })
  subscription.on('error', onError)

  const seek = (target: number) => {
    const place = Math.min(to, Math.max(from, target))
    history = createHistory(vehicle)
    stand(place)
    seeking++
    client.steer({ type: 'seek', channel, to: Math.round(place) }).catch(onError).finally(() => { seeking-- })
  }

  return {
    vehicle,
    from,
    to,
    get phase () { return phase },
    get speed () { return speed },
    get history () { return history },
    position,
    load: (part) => loadPast(history, part, position()),
    seek,
    pause: () => { client.steer({ type: 'pause', channel }).catch(onError) },
    resume: (wanted) => { client.steer({ type: 'resume', channel, ...(wanted !== undefined && { speed: wanted }) }).catch(onError) },
    close: () => subscription.unsubscribe()
  }
}
