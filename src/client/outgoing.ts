import type { Incoming, Link } from './link.js'
import { ClientError } from './types.js'

/** What happens to a request whose connection broke before its answer came. */
export type Resend = 'always' | 'never'

interface Request {
  /** The message as JSON. */
  text: string
  resend: Resend
  sent: boolean
  resolve (reply: Incoming): void
  reject (error: ClientError): void
}

/** Requests that wait for their answers: kept in order, sent again after a reconnect. */
export interface Outgoing {
  /**
   * Rejects with what the server refused, `QUEUE_FULL`, `CONNECTION_LOST` or `CLOSED`.
   * @param first sent ahead of what waits, also where the queue is full
   */
  request (message: Record<string, unknown>, resend: Resend, first?: boolean): Promise<Incoming>
  /**
   * Sends on this connection alone, ahead of what waits.
   * @param onReply called with the answer before any message that came after it is looked at
   * @returns takes it back: its answer, if one comes, is nobody's
   */
  ask (message: Record<string, unknown>, onReply: (reply: Incoming) => void, onError: (error: ClientError) => void): () => void
  /** Sends what has no answer of its own; resolves once the server has handled it. Rejects as `request` does. */
  tell (message: Record<string, unknown>): Promise<void>
  /** True when the message was the answer to a request. */
  settle (message: Incoming): boolean
  /** The connection is up: sends all that waits. */
  flush (): void
  /** The connection is gone. @param tooBig for a message that is larger than the server takes */
  interrupt (tooBig: boolean): void
  close (): void
}

// Requests on their way at once; the server takes a thousand.
const WINDOW = 500

/** @param rate messages a second at most; a tenth of it, one at least, goes at once */
export function createOutgoing (link: () => Link, limit: number, rate: number): Outgoing {
  const waiting = new Map<string, Request>()
  const unsent = new Set<string>()
  let onTheirWay = 0
  let number = 0
  let closed = false
  // A whole message at least: rates below ten a second have no tenth to save up.
  const burst = Math.max(1, rate / 10)
  let budget = burst
  // Not the time of day, which may be set back.
  let refilled = performance.now()
  let timer: ReturnType<typeof setTimeout> | undefined
  const retries = new Set<ReturnType<typeof setTimeout>>()

  const later = (milliseconds: number) => {
    clearTimeout(timer)
    timer = setTimeout(flush, milliseconds)
  }

  const transmit = (id: string, request: Request) => {
    budget--
    onTheirWay++
    request.sent = true
    link().send(request.text)
  }

  const flush = () => {
    if (!link().live) return
    const now = performance.now()
    budget = Math.min(burst, budget + (now - refilled) * rate / 1000)
    refilled = now
    for (const id of unsent) {
      // The next answer goes on.
      if (onTheirWay >= WINDOW) return
      if (budget < 1) return later(1000 / rate * Math.min(10, burst))
      const request = waiting.get(id)
      unsent.delete(id)
      if (request) transmit(id, request)
    }
  }

  /** It is no longer on its way. */
  const arrived = (request: Request | undefined) => {
    if (request?.sent) onTheirWay--
    if (request) request.sent = false
  }

  const finish = (id: string) => {
    arrived(waiting.get(id))
    waiting.delete(id)
    unsent.delete(id)
  }

  /** Sent again, it would end the next connection too, and each one after it. */
  const refuseLargest = () => {
    const sent = [...waiting].filter(([, { sent }]) => sent).map(([id, { text }]) => ({ id, bytes: new TextEncoder().encode(text).length }))
    const [largest] = sent.sort((a, b) => b.bytes - a.bytes)
    if (!largest) return
    const { id, bytes } = largest
    waiting.get(id)?.reject(new ClientError('PAYLOAD_TOO_LARGE', `The server takes no message of ${bytes} bytes`))
    finish(id)
  }

  const enqueue = (message: Record<string, unknown>, resend: Resend, first: boolean, resolve: Request['resolve'], reject: Request['reject'], room = first ? Infinity : limit) => {
    const id = `r${++number}`
    if (closed) reject(new ClientError('CLOSED', 'The client is closed'))
    else if (waiting.size >= room) reject(new ClientError('QUEUE_FULL', `${limit} messages wait for the server already`))
    else {
      // As it is now: it may wait long, and its objects may be used again meanwhile.
      const request: Request = { text: JSON.stringify({ ...message, id }), resend, sent: false, resolve, reject }
      waiting.set(id, request)
      if (first && link().live) transmit(id, request)
      else {
        unsent.add(id)
        flush()
      }
    }
    return id
  }

  return {
    request: (message, resend, first = false) => new Promise((resolve, reject) => {
      enqueue(message, resend, first, resolve, reject)
    }),

    ask (message, onReply, onError) {
      const id = enqueue(message, 'never', true, onReply, onError)
      return () => finish(id)
    },

    tell: (message) => new Promise((resolve, reject) => {
      const id = enqueue(message, 'never', false, () => resolve(), reject)
      if (!waiting.has(id)) return
      const done = () => {
        finish(id)
        resolve()
      }
      // Messages are handled in their order: an error would have come before the pong.
      // Where there is room for the message there is for its ping: it may have gone already.
      enqueue({ type: 'ping' }, 'never', false, done, (error) => {
        finish(id)
        reject(error)
      }, Infinity)
    }),

    settle (message) {
      const id = typeof message.id === 'string' ? message.id : ''
      const request = waiting.get(id)
      if (!request) return false
      if (message.type !== 'error') {
        finish(id)
        request.resolve(message)
        flush()
        return true
      }
      const { code = 'INTERNAL', message: text = '', ...details } = message.payload as { code?: string, message?: string, retryAfter?: number }
      if (details.retryAfter !== undefined && request.resend === 'always') {
        // The server cannot take it now: it stays in the queue for later.
        arrived(request)
        const retry = setTimeout(() => {
          retries.delete(retry)
          // Another connection may have taken it up meanwhile.
          if (waiting.has(id) && !request.sent) unsent.add(id)
          flush()
        }, details.retryAfter * 1000)
        retries.add(retry)
      } else {
        finish(id)
        request.reject(new ClientError(code, text, details))
      }
      flush()
      return true
    },

    flush,

    interrupt (tooBig) {
      if (tooBig) refuseLargest()
      unsent.clear()
      onTheirWay = 0
      for (const [id, request] of waiting) {
        if (request.sent && request.resend === 'never') {
          waiting.delete(id)
          request.reject(new ClientError('CONNECTION_LOST', 'The connection broke before the answer came; it may or may not have been done'))
        } else {
          request.sent = false
          unsent.add(id)
        }
      }
    },

    close () {
      closed = true
      clearTimeout(timer)
      for (const retry of retries) clearTimeout(retry)
      for (const request of waiting.values()) request.reject(new ClientError('CLOSED', 'The client was closed before the answer came'))
      waiting.clear()
      unsent.clear()
    }
  }
}
