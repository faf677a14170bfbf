import { backoff } from './backoff.js'
import { ClientError, type SocketLike, type StateChange } from './types.js'

/** A message as it came, of any type. */
export type Incoming = Record<string, unknown> & { type: string }

export interface LinkOptions {
  /** Rejects with UNAUTHORIZED where there is no credential to try. */
  open: () => Promise<SocketLike>
  /** Whether the server refused the credential of the attempt that just failed. */
  isRefused: () => Promise<boolean>
  /** True when another credential can be had: a refused one is replaced once before giving up. */
  renewable: boolean
  onState (change: StateChange): void
  /** The socket is up and welcomed. */
  onLive (welcome: Incoming): void
  onMessage (message: Incoming): void
  /**
   * The socket is gone; what was sent and not answered may or may not have arrived.
   * @param code it closed with, where that is known
   */
  onDown (code?: number): void
}

export interface Link {
  readonly live: boolean
  /** Sends a message, as JSON. */
  send (text: string): void
  reconnectNow (): void
  close (reason?: string, code?: 'UNAUTHORIZED'): void
}

interface Network {
  addEventListener? (event: string, listener: () => void): void
  removeEventListener? (event: string, listener: () => void): void
  navigator?: { onLine?: boolean }
}
const network = globalThis as unknown as Network

// A server that says nothing for its ping interval is asked; this long after, it is taken for dead.
const ANSWER_MS = 8000
const WELCOME_MS = 15_000
// Below this a connection counts as failed, so that a server which closes at once is not hammered.
const STEADY_MS = 1000
const CREDENTIALS_GONE = 4001

/** Keeps one socket up: opens it, notices its death, opens it again with full jitter. */
export function createLink (options: LinkOptions): Link {
  let socket: SocketLike | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let pulse: ReturnType<typeof setTimeout> | undefined
  let attempt = 0
  let liveSince = 0
  let pingInterval = 25_000
  let reconnectAfter = 0
  let live = false
  let closed = false
  let refusals = 0
  // Each attempt has a number; what an abandoned one still reports is ignored.
  let generation = 0

  const offline = () => network.navigator?.onLine === false

  const attend = (milliseconds: number, then: () => void) => {
    clearTimeout(pulse)
    pulse = setTimeout(then, milliseconds)
  }
  const watch = () => attend(pingInterval, () => {
    socket?.send('{"type":"ping"}')
    attend(ANSWER_MS, () => lose('the server stopped answering'))
  })

  const lose = (reason: string, code?: number) => {
    generation++
    clearTimeout(pulse)
    clearTimeout(timer)
    const old = socket
    socket = null
    old?.close()
    const wasLive = live
    if (live) options.onDown(code)
    live = false
    if (closed) return
    if (code === CREDENTIALS_GONE) {
      refuse('the credentials are no longer valid')
      if (closed) return
    }
    // Only what was live can have been steady: attempts that fail one after another must count on.
    if (wasLive && Date.now() - liveSince > STEADY_MS) attempt = 0
    attempt++
    if (offline()) return options.onState({ state: 'offline', attempt, reason: 'the network is down' })
    const delay = reconnectAfter + backoff(attempt)
    reconnectAfter = 0
    // Before it is told: whoever answers with `reconnectNow` or `close` must stop this attempt, not be followed by it.
    timer = setTimeout(start, delay)
    options.onState({ state: 'reconnecting', attempt, retryAt: Date.now() + delay, reason })
    // Not each time: clients that a full server turns away must not knock twice as often.
    if (!wasLive && (refusals > 0 || attempt % 4 === 0 || (attempt === 1 && liveSince === 0))) askWhy(generation)
  }

  /** A credential that the server does not take will not be taken the next time either. */
  const refuse = (reason: string) => {
    if (options.renewable && refusals++ === 0) return
    link.close(reason, 'UNAUTHORIZED')
  }

  const askWhy = (mine: number) => {
    options.isRefused().then((refused) => {
      // Another attempt may have come through meanwhile.
      if (refused && !live && !closed && mine === generation) refuse('the server does not accept the credentials')
    }).catch(() => { /* Not answered: the next attempt is due anyway. */ })
  }

  const receive = (message: Incoming) => {
    if (message.type === 'welcome') {
      live = true
      liveSince = Date.now()
      refusals = 0
      if (typeof message.pingInterval === 'number') pingInterval = message.pingInterval
      options.onLive(message)
      options.onState({ state: 'live' })
    } else if (message.type === 'bye') {
      if (typeof message.reconnectAfter === 'number') reconnectAfter = message.reconnectAfter
    } else if (message.type !== 'pong' || message.id !== undefined) {
      options.onMessage(message)
    }
  }

  const start = () => {
    clearTimeout(timer)
    const mine = ++generation
    attend(WELCOME_MS, () => lose('no welcome came'))
    options.open().then((opened) => {
      // First of all: closing a socket that is still connecting is reported as an error too.
      opened.onerror = () => {}
      if (mine !== generation) return opened.close()
      socket = opened
      opened.onclose = ({ code, reason }: { code: number, reason: string }) => {
        if (mine === generation) lose(reason || `the connection closed with ${code}`, code)
      }
      opened.onmessage = ({ data }: { data: unknown }) => {
        if (mine !== generation) return
        let parsed: unknown
        try {
          parsed = JSON.parse(String(data))
        } catch {
          return lose('what came was not JSON')
        }
        // Under `pitwall.v1+batch` a frame may be an array of messages.
        for (const message of Array.isArray(parsed) ? parsed : [parsed]) {
          receive(message as Incoming)
          // Closed by whoever was given the message.
          if (mine !== generation) return
        }
        watch()
      }
    }).catch((error: unknown) => {
      if (mine !== generation) return
      if (error instanceof ClientError && error.code === 'UNAUTHORIZED') return link.close(error.message, error.code)
      lose(error instanceof Error ? error.message : String(error))
    })
  }

  const reconnectNow = () => {
    if (closed || live) return
    if (socket) lose('asked to reconnect')
    if (!closed) start()
  }
  const goOffline = () => { if (!closed) lose('the network is down') }
  network.addEventListener?.('online', reconnectNow)
  network.addEventListener?.('offline', goOffline)

  const link: Link = {
    get live () { return live },
    send: (text) => socket?.send(text),
    reconnectNow,
    close (reason, code) {
      if (closed) return
      closed = true
      network.removeEventListener?.('online', reconnectNow)
      network.removeEventListener?.('offline', goOffline)
      clearTimeout(timer)
      clearTimeout(pulse)
      generation++
      if (live) options.onDown()
      live = false
      socket?.close(1000)
      socket = null
      options.onState({ state: 'closed', ...(reason !== undefined && { reason }), ...(code && { code }) })
    }
  }
  start()
  return link
}
