import { once } from 'node:events'
import type { Test } from 'tap'
import { WebSocket, type ClientOptions } from 'ws'

export type Message = Record<string, unknown> & { type: string }

/** A plain `ws` client whose messages can be waited for in order. */
export interface TestSocket {
  ws: WebSocket
  welcome: Message
  /** All messages so far that `next` has not taken. */
  inbox: Message[]
  send (message: unknown): void
  /** Sends, and returns the reply with the id given to it. */
  ask (message: object): Promise<Message>
  /** Takes the first message of a type, waiting for it; those before it stay. */
  next (type: string): Promise<Message>
  /** Fails when a message of the type comes before everything sent earlier is answered. */
  expectNone (type: string): Promise<void>
  /** The code it is closed with. */
  closed: Promise<number>
}

let number = 0

/** Opens a socket and waits for its welcome; closed after the test. */
export async function openSocket (t: Test, url: string, protocols: string[], options: ClientOptions = {}): Promise<TestSocket> {
  const ws = new WebSocket(url, protocols, options)
  const inbox: Message[] = []
  const waiting: { type: string, resolve: (message: Message) => void }[] = []
  let ended = false
  ws.on('message', (data) => {
    const parsed = JSON.parse(String(data)) as Message | Message[]
    for (const message of Array.isArray(parsed) ? parsed : [parsed]) {
      const index = waiting.findIndex(({ type }) => type === message.type || type === `#${String(message.id)}`)
      if (index === -1) inbox.push(message)
      else waiting.splice(index, 1)[0]?.resolve(message)
    }
  })
  const closed = once(ws, 'close').then(([code]) => {
    ended = true
    return code as number
  })
  t.teardown(() => ws.terminate())

  const take = (type: string): Promise<Message> => {
    const index = inbox.findIndex((message) => type === message.type || type === `#${String(message.id)}`)
    const [found] = index === -1 ? [] : inbox.splice(index, 1)
    if (found) return Promise.resolve(found)
    if (ended) return Promise.reject(new Error(`The socket closed without a ${type}`))
    return new Promise((resolve) => { waiting.push({ type, resolve }) })
  }
  const ask = (message: object) => {
    const id = `q${++number}`
    ws.send(JSON.stringify({ ...message, id }))
    return take(`#${id}`)
  }
  await once(ws, 'open')
  return {
    ws,
    welcome: await take('welcome'),
    inbox,
    send: (message) => ws.send(typeof message === 'string' ? message : JSON.stringify(message)),
    ask,
    next: take,
    closed,
    async expectNone (type) {
      await ask({ type: ws.protocol.startsWith('pitwall.v1') ? 'ping' : 'FETCH' })
      const found = inbox.find((message) => message.type === type)
      if (found) throw new Error(`Unexpected: ${JSON.stringify(found)}`)
    }
  }
}

/** What an upgrade is refused with. */
export async function refusedUpgrade (url: string, protocols: string[], options: ClientOptions = {}): Promise<number | undefined> {
  const ws = new WebSocket(url, protocols, options)
  ws.on('error', () => {})
  const [, response] = await once(ws, 'unexpected-response') as [unknown, { statusCode?: number, resume (): void }]
  response.resume()
  ws.terminate()
  return response.statusCode
}
