import { batch, computed, effect, signal, type Signal } from '@preact/signals'
import type { Client } from '../../client/index.js'
import { staleAfter } from '../data/cadence.js'
import { serverNow } from '../data/clock.js'
import { followVehicle, type FocusFeed, type PastPart } from '../data/focus-feed.js'
import { formatAge, formatValue, withUnit } from '../data/format.js'
import { levelOf, signalInfo } from '../data/signals.js'
import { holdHistory, valueAt, type VehicleHistory } from '../data/vehicle-history.js'
import type { Level, SignalValue } from '../data/types.js'
import { countMessage, traffic, watchSubscription } from './connection.js'
import { fleet, rows } from './fleet.js'
import { forgetLatency, noteSample } from './latency.js'
import { playhead, replayHistory, setReplayFeed } from './playback.js'
import { chosenVehicle, cursorTime, hoverTime, paused, pausedAt, windowKey, type WindowKey } from './view.js'

/** One reading of the vehicle in focus, as shown; each part changes on its own. */
export interface ReadingView {
  text: Signal<string>
  /** Value as a number for gauges; NaN without one. */
  number: Signal<number>
  value: Signal<SignalValue | undefined>
  level: Signal<Level>
  stale: Signal<boolean>
  /** `4 s` once it is stale. */
  age: Signal<string>
  /** Number and text for assistive technology, once a second. */
  spoken: Signal<{ number: number, text: string }>
}

/** The vehicle shown: the chosen one, else the first of the list when the page opened. */
const firstVehicle = signal<string | null>(null)
export const focusId = computed(() => chosenVehicle.value ?? firstVehicle.value)
export const past = signal<'loading' | 'loaded' | 'failed'>('loading')

let feed: FocusFeed | undefined
let client: Client | undefined
const views = new Map<string, ReadingView>()
const chartViews = new Map<string, Signal<string>>()
let paintedVersion = -1
let paintedAt = 0
let spokenAt = 0
let countedAt = 0
/** Messages counted when the view was held. */
let heldFrom = 0

/** What is shown of the past: what a replay has played, else what came live. */
export const focusHistory = (): VehicleHistory | undefined => replayHistory() ?? feed?.history
/** The connection the vehicle in focus is followed on. */
export const focusClient = (): Client | undefined => client
export const heldMessages = signal(0)

export function readingView (name: string): ReadingView {
  let view = views.get(name)
  if (!view) {
    view = { text: signal('–'), number: signal(NaN), value: signal(undefined), level: signal('ok'), stale: signal(true), age: signal(''), spoken: signal({ number: NaN, text: '' }) }
    views.set(name, view)
    paintedVersion = -1
  }
  return view
}

/** A signal's value as text at the instant the charts are read at. */
export function chartReading (name: string): Signal<string> {
  let view = chartViews.get(name)
  if (!view) {
    view = signal('–')
    chartViews.set(name, view)
    paintedVersion = -1
  }
  return view
}

/** Follows whichever vehicle is in focus, on this connection. */
export function followFocus (opened: Client): void {
  client = opened
  feed = undefined
  setReplayFeed(undefined)
  const id = focusId.peek()
  if (id !== null) openFeed(id)
}

effect(() => {
  const id = focusId.value
  if (id !== null && client && feed?.history.vehicle !== id) openFeed(id)
})

effect(() => { if (chosenVehicle.value === null && firstVehicle.peek() === null) firstVehicle.value = rows.value[0]?.id ?? null })
effect(() => { if (pausedAt.value !== null) heldFrom = traffic.messages })

function openFeed (id: string): void {
  if (!client) return
  feed?.close()
  forgetLatency()
  const opened = followVehicle(client, fleet, id, (sample) => {
    countMessage()
    noteSample(sample?.sentAt)
  })
  feed = opened
  holdHistory(opened.history, paused.peek())
  watchSubscription(opened.subscription)
  opened.subscription.on('recovered', ({ recovered }) => { if (!recovered) reloadPast() })
  paintedVersion = -1
  readPast(windowKey.peek())
}

/** A session may be shorter than a quarter of an hour, and is then drawn as finely. */
export const partsOf: Record<WindowKey, PastPart[]> = {
  '15s': ['samples'],
  '1m': ['samples'],
  '15m': ['samples', 'quarter'],
  session: ['samples', 'quarter', 'session']
}

/** Reads what the window needs of the past and is not there yet. */
function readPast (key: WindowKey): void {
  const opened = feed
  if (!opened) return
  past.value = 'loading'
  const held = pausedAt.peek()
  // What was on screen a moment ago is there already; a link to long ago is not.
  const end = held !== null && serverNow() - held > 60_000 ? held : undefined
  Promise.all(partsOf[key].map((part) => opened.load(part, end))).then(
    () => { if (feed === opened) past.value = 'loaded' },
    () => { if (feed === opened) past.value = 'failed' })
}

// Again when the view goes back to now: it may have been held long ago.
const wanted = computed(() => ({ key: windowKey.value, held: paused.value }))
effect(() => readPast(wanted.value.key))

// What is held must not give way to what comes; where that found no place it is read when the view goes on.
effect(() => {
  const held = paused.value
  if (feed && holdHistory(feed.history, held)) reloadPast()
})

/** Reads the past again, after a gap the connection could not fill. */
export function reloadPast (): void {
  feed?.forget()
  readPast(windowKey.peek())
}

/** Brings the readings up to date: each frame when values came, else four times a second for their ages. */
export function paintFocus (now: number): void {
  const played = playhead()
  const held = played ?? pausedAt.peek()
  if (held !== null) {
    if (now - countedAt >= 250) {
      countedAt = now
      heldMessages.value = traffic.messages - heldFrom
    }
  }
  const version = fleet.version + (cursorTime.peek() ?? 0) + (hoverTime.peek() ?? 0) + (held ?? 0) + (focusHistory()?.version ?? 0)
  if (version === paintedVersion && now - paintedAt < 250) return
  paintedVersion = version
  paintedAt = now
  batch(() => {
    for (const [name, view] of views) {
      if (held === null) paintLive(name, view, now)
      else paintHeld(name, view, played ?? cursorTime.peek() ?? held)
    }
    const due = now - spokenAt >= 1000
    if (due) spokenAt = now
    for (const [name, view] of views) if (due || isUnspoken(view)) speak(name, view)
    const read = hoverTime.peek() ?? played ?? cursorTime.peek() ?? held
    for (const [name, view] of chartViews) view.value = chartText(name, read)
  })
}

function paintLive (name: string, view: ReadingView, now: number): void {
  const reading = fleet.vehicles.get(focusId.peek() ?? '')?.readings.get(name)
  write(name, view, reading?.value)
  const age = reading ? now - reading.seen : Infinity
  const stale = age > staleAfter(feed?.history.cadence.get(name) ?? 0)
  view.stale.value = stale
  view.age.value = stale && Number.isFinite(age) ? formatAge(age) : ''
}

function paintHeld (name: string, view: ReadingView, at: number): void {
  const value = historyValue(name, at)
  // Held before the past is in: what was shown stays until it can be looked up.
  if (value === undefined && past.peek() === 'loading') return
  write(name, view, value)
  view.stale.value = false
  view.age.value = ''
}

function write (name: string, view: ReadingView, value: SignalValue | undefined): void {
  const info = signalInfo(name)
  view.value.value = value
  view.text.value = formatValue(info, value)
  view.number.value = typeof value === 'number' ? value : NaN
  view.level.value = levelOf(info, value)
}

/** A first value is told at once. */
const isUnspoken = (view: ReadingView) => Number.isNaN(view.spoken.peek().number) && !Number.isNaN(view.number.peek())

function speak (name: string, view: ReadingView): void {
  const value = withUnit(view.text.peek(), signalInfo(name).unit)
  const text = value === '–' ? 'no value' : view.stale.peek() ? `${value}, ${view.age.peek()} old` : value
  if (text !== view.spoken.peek().text) view.spoken.value = { number: view.number.peek(), text }
}

function historyValue (name: string, at: number): SignalValue | undefined {
  const history = focusHistory()
  if (!history) return undefined
  const newest = fleet.vehicles.get(history.vehicle)?.readings.get(name)?.value
  const textual = signalInfo(name).textual || (newest !== undefined && typeof newest !== 'number')
  return valueAt(history, name, at, Math.max(2000, staleAfter(history.cadence.get(name) ?? 0)), textual)
}

function chartText (name: string, at: number | null): string {
  const info = signalInfo(name)
  if (at === null) return formatValue(info, fleet.vehicles.get(focusId.peek() ?? '')?.readings.get(name)?.value)
  return formatValue(info, historyValue(name, at))
}
