import { effect, signal } from '@preact/signals'
import { serverNow } from '../data/clock.js'
import { openReplay } from '../data/replay-feed.js'
import { focusClient, focusId, partsOf } from './focus.js'
import { pause } from './hold.js'
import { playhead, replay, replayFeed, setReplayFeed } from './playback.js'
import { cursorTime, hoverTime, paused, windowKey } from './view.js'
import { shownRange } from './window.js'

/** How fast it can be played. */
export const speeds = [0.25, 0.5, 1, 2, 4, 8, 16] as const

// A short window is replayed as part of a longer stretch, so that there is somewhere to seek to, milliseconds.
const SHORTEST = 15 * 60_000
// What an arrow key seeks by, milliseconds.
const STEP = 5000

/** Why there is no replay, in the server's words. */
export const replayFault = signal('')

/** Replays what is held, from the instant that is read, or else from the left edge of the charts. */
export function startReplay (): void {
  pause()
  const { from, to } = shownRange(serverNow())
  open({ from: Math.min(from, to - SHORTEST), to, position: cursorTime.peek() ?? from, speed: 1 })
}

function open (options: { from: number, to: number, position: number, speed: number }): void {
  const client = focusClient()
  const vehicle = focusId.peek()
  if (!client || vehicle === null) return
  replayFault.value = ''
  cursorTime.value = null
  hoverTime.value = null
  const range = { ...options, from: Math.round(options.from), to: Math.round(options.to), position: Math.round(options.position) }
  // The server takes one subscription of a channel at a time.
  setReplayFeed(undefined)
  const opened = openReplay(client, vehicle, range, () => { if (replayFeed() === opened) setReplayFeed(opened) }, (error) => {
    if (replayFeed() !== opened || error.code === 'CLOSED' || error.code === 'CONNECTION_LOST') return
    replayFault.value = error.message
    setReplayFeed(undefined)
  })
  setReplayFeed(opened)
  readPast()
}

/** What the charts show of the time before the position. */
function readPast (): void {
  const opened = replayFeed()
  if (!opened) return
  const { history } = opened
  Promise.all(partsOf[windowKey.peek()].map((part) => opened.load(part))).catch(() => {
    if (replayFeed()?.history === history) replayFault.value = 'What was before could not be read'
  })
}

/** Ends a replay; the view stays held where it was before. */
export const stopReplay = (): void => setReplayFeed(undefined)

/** Plays on, or stands still; after the end it begins again. */
export function toggleReplay (): void {
  const opened = replayFeed()
  if (!opened) return
  if (opened.phase === 'playing') opened.pause()
  else if (opened.phase === 'ended') seekReplay(opened.from)
  else opened.resume()
}

export function seekReplay (position: number): void {
  replayFeed()?.seek(position)
  readPast()
}

/** Seeks a few seconds back or forth; half a minute when wide. */
export const stepReplay = (direction: 1 | -1, wide = false): void =>
  seekReplay((playhead() ?? 0) + direction * STEP * (wide ? 6 : 1))

/** Changes the speed, of one that stands still too. */
export function setSpeed (speed: number): void {
  const opened = replayFeed()
  if (!opened) return
  const standing = opened.phase === 'paused'
  opened.resume(speed)
  if (standing) opened.pause()
}

/** The next speed up or down. */
export function shiftSpeed (direction: 1 | -1): void {
  const now = replay.peek()?.speed
  const next = now === undefined ? undefined : direction > 0 ? speeds.find((speed) => speed > now) : speeds.findLast((speed) => speed < now)
  if (next !== undefined) setSpeed(next)
}

// Back to live there is nothing to replay; another vehicle is replayed at the same time of its own past.
effect(() => { if (!paused.value) stopReplay() })
effect(() => {
  const id = focusId.value
  const opened = replayFeed()
  if (opened && id !== null && opened.vehicle !== id) open({ from: opened.from, to: opened.to, position: opened.position(), speed: opened.speed })
})
let read = windowKey.peek()
effect(() => {
  if (windowKey.value === read) return
  read = windowKey.value
  readPast()
})
