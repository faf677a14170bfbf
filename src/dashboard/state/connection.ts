import { batch, signal } from '@preact/signals'
import { connect, type ChannelSubscription, type Client, type StateChange } from '../../client/index.js'
import { alignClock } from '../data/clock.js'
import { fetchSignals, fetchViewer } from '../data/rest.js'
import { adoptSignals } from '../data/signals.js'
import type { ConnectionStatus, Viewer } from '../data/types.js'

export const connection = signal<ConnectionStatus>({ phase: 'connecting', attempt: 0, retryAt: 0, reason: '' })
/** Time to the server and back, milliseconds; null before the first answer. */
export const latency = signal<number | null>(null)
/** Messages a second, over the last second. */
export const messageRate = signal(0)
/** Messages the server shed for this page since it was opened. */
export const dropped = signal(0)
/** When it last shed, epoch milliseconds of this page's clock. */
export const lastDrop = signal(0)
/** undefined until known, null when signed out. */
export const viewer = signal<Viewer | null | undefined>(undefined)
/** Rises when the registry of signals says something new: what is drawn by it is drawn anew. */
export const signalsVersion = signal(0)
/** Messages received since the page was opened. */
export const traffic = { messages: 0 }

let client: Client | undefined
let beforeSecond = 0

export const countMessage = (): void => { traffic.messages++ }

/** Counts what a subscription lost, and says so when the server ends or refuses it. */
export function watchSubscription (subscription: ChannelSubscription): void {
  subscription.on('dropped', ({ count }) => batch(() => {
    dropped.value += count
    lastDrop.value = Date.now()
  }))
  subscription.on('error', ({ code, message }) => {
    if (code === 'CLOSED') return
    setPhase({ phase: code === 'FORBIDDEN' ? 'forbidden' : 'error', reason: message })
  })
}

const setPhase = (status: Partial<ConnectionStatus> & Pick<ConnectionStatus, 'phase'>) => {
  connection.value = { attempt: 0, retryAt: 0, reason: '', ...status }
}

/** Opens the connection; `onClient` subscribes on it before the first message. */
export function openConnection (onClient: (client: Client) => void): void {
  client?.close()
  setPhase({ phase: 'connecting' })
  const opened = connect(new URL('/ws', location.href).href)
  client = opened
  opened.on('state', (change) => { if (opened === client) follow(change) })
  onClient(opened)
  checkViewer()
  measure()
}

function follow (change: StateChange): void {
  const { state, attempt = 0, retryAt = 0, reason = '' } = change
  if (state === 'live') {
    setPhase({ phase: 'live' })
    checkViewer()
    readSignals()
    measure()
  } else if (state === 'closed') {
    setPhase({ phase: 'signed-out', reason })
    viewer.value = null
  } else {
    latency.value = null
    setPhase({ phase: state, attempt, retryAt, reason })
    // The upgrade's refusal is hidden from pages: ask over HTTP whether it was for want of a sign-in.
    if (state === 'reconnecting') checkViewer()
  }
}

/** Finds out who this page is; a page that is nobody stops trying to connect. */
function checkViewer (): void {
  fetchViewer().then((found) => {
    viewer.value = found
    if (found !== null) return
    closeConnection()
    setPhase({ phase: 'signed-out' })
  }).catch(() => {
    // Not reachable: the connection's own state already says so.
  })
}

/** Units, scales and thresholds may have been changed while the page was away. */
function readSignals (): void {
  fetchSignals().then((rows) => { if (adoptSignals(rows)) signalsVersion.value++ }).catch(() => {
    // What every installation knows is drawn by until the next time.
  })
}

/** Shows a request that failed where it had to succeed. */
export const reportFailure = (error: unknown): void =>
  setPhase({ phase: 'error', reason: error instanceof Error ? error.message : String(error) })

export function closeConnection (): void {
  const old = client
  client = undefined
  old?.close()
  latency.value = null
}

export const retryNow = (): void => client?.reconnectNow()

/** One round trip and the clock; called now and then. */
function measure (): void {
  const asked = client
  if (!asked || asked.state !== 'live') return
  asked.clock().then((reading) => {
    if (asked !== client) return
    latency.value = reading.roundTrip
    alignClock(reading)
  }).catch(() => {
    // Lost on the way: the reconnect measures again.
  })
}

/** Counts messages by the second and measures the round trip every five. */
export function watchTraffic (): void {
  let tick = 0
  setInterval(() => {
    messageRate.value = traffic.messages - beforeSecond
    beforeSecond = traffic.messages
    if (++tick % 5 === 2) measure()
  }, 1000)
}
