import { signal } from '@preact/signals'
import type { ReplayFeed, ReplayPhase } from '../data/replay-feed.js'
import type { VehicleHistory } from '../data/vehicle-history.js'

/** A replay as its controls show it: epoch milliseconds, and times as fast as it was. */
export interface ReplayView { phase: ReplayPhase, speed: number, from: number, to: number }

/** The replay that drives charts and readings, or null. */
export const replay = signal<ReplayView | null>(null)

let feed: ReplayFeed | undefined

export const replayFeed = (): ReplayFeed | undefined => feed

/** Puts a replay into the place of the one before. */
export function setReplayFeed (next: ReplayFeed | undefined): void {
  if (feed !== next) feed?.close()
  feed = next
  replay.value = next ? { phase: next.phase, speed: next.speed, from: next.from, to: next.to } : null
}

/** The past a replay has played, while there is one. */
export const replayHistory = (): VehicleHistory | undefined => feed?.history

/** The time that is being replayed, epoch milliseconds; null without a replay. */
export const playhead = (): number | null => feed?.position() ?? null
