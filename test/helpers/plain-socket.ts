import { once } from 'node:events'
import type { Test } from 'tap'
import WebSocket from 'ws'

export interface PlainMessage extends Record<string, unknown> { type: string }

/** A plain `ws` client that keeps what it received and can wait for a message. */
export interface PlainSocket {
  socket: WebSocket
  welcome: PlainMessage
  received: PlainMessage[]
  send (message: unknown): void
  /** The first message, past or to come, that satisfies the test; each message is handed out once. */
  next (matches: (message: PlainMessage) => boolean): Promise<PlainMessage>
}

/** Opens a socket with the given subprotocols, as `new WebSocket(url, [KEY])` does, and waits for the welcome. */
export async function openSocket (t: Test, url: string, protocols: string[], options: WebSocket.ClientOptions = {}): Promise<PlainSocket> {
  const socket = new WebSocket(url, protocols, options)
  t.teardown(() => { socket.terminate() })
  const received: PlainMessage[] = []
  const waiting = new Set<() => void>()
  socket.on('message', (raw: Buffer) => {
    received.push(JSON.parse(raw.toString()) as PlainMessage)
    for (const look of waiting) look()
  })
  const taken = new Set<PlainMessage>()
  const next: PlainSocket['next'] = async (matches) => await new Promise((resolve) => {
    const look = () => {
      const message = received.find((candidate) => !taken.has(candidate) && matches(candidate))
      if (!message) return
      taken.add(message)
      waiting.delete(look)
      resolve(message)
    }
    waiting.add(look)
    look()
  })
  await once(socket, 'open')
  const welcome = await next((message) => message.type === 'welcome')
  return { socket, welcome, received, next, send: (message) => { socket.send(JSON.stringify(message)) } }
}
