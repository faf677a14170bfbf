import fc, { type Arbitrary } from 'fast-check'
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { createReader, requestsOf, type Dialect, type ReadDocument } from '../documented-socket.js'
import { mutations, spoil, spoiling, writeMutated, type Mutation, type Spoiling } from './mutations.js'
import { arbitraryOf } from './schema-arbitrary.js'
import { anyParty } from './rest-cases.js'
import type { Party } from './world.js'

export interface SocketMessage { value: unknown, mutations: Mutation[], spoiling: Spoiling, fragments: number, binary: boolean }
export interface SocketCase { party: Party, dialect: Dialect, messages: SocketMessage[] }

const dialects: readonly Dialect[] = ['plain', 'pitwallV1']

/** Every documented message of both dialects, with what fits it and what does not. */
export function socketCases (document: ReadDocument, parties: readonly Party[]): Arbitrary<SocketCase> {
  const schemas = (dialect: Dialect) => requestsOf(document, dialect).map(({ component }) => document.components.messages[component]?.payload ?? {})
  return fc.tuple(anyParty(parties), fc.constantFrom(...dialects)).chain(([party, dialect]) => {
    const message = fc.record({
      value: fc.oneof(...schemas(dialect).map((schema) => arbitraryOf(schema, party.words))),
      mutations,
      spoiling,
      fragments: fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.integer({ min: 2, max: 9 }) }),
      binary: fc.oneof({ weight: 19, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) })
    })
    return fc.record({ party: fc.constant(party), dialect: fc.constant(dialect), messages: fc.array(message, { minLength: 1, maxLength: 5 }) })
  })
}

/** Ways in which the protocol lets a socket end that said such things. */
const rightCloses = new Set([1007, 1008, 1009, 4001, 4029])
const wrongCodes = new Set(['INTERNAL', 'STORE_UNAVAILABLE', 'NOT_IMPLEMENTED'])

interface OpenSocket { ws: WebSocket, faults: string[], closed: number | undefined, waiting: Map<string, () => void> }

/** Sends cases over sockets that stay open from one to the next. */
export function createSocketDriver (url: string, document: ReadDocument) {
  const sockets = new Map<string, OpenSocket>()
  const readers = { plain: createReader(document, 'plain'), pitwallV1: createReader(document, 'pitwallV1') }
  let number = 0

  function judge (party: Party, dialect: Dialect, text: string, message: Record<string, unknown>): string | undefined {
    const leaked = party.hidden.find((mark) => text.includes(mark))
    if (leaked !== undefined) return `shows ${leaked} to ${party.name}: ${text.slice(0, 300)}`
    const { code } = (message.payload ?? {}) as { code?: string }
    if (message.type === 'error' && code !== undefined && wrongCodes.has(code)) return `answers ${text.slice(0, 300)}`
    return readers[dialect].identify(message) === undefined ? `sends what no document names: ${text.slice(0, 400)}` : undefined
  }

  async function open (party: Party, dialect: Dialect): Promise<OpenSocket> {
    const protocols = [...dialect === 'pitwallV1' ? ['pitwall.v1'] : [], ...party.key === undefined ? [] : [party.key]]
    const ws = new WebSocket(url, protocols, { headers: party.headers })
    const socket: OpenSocket = { ws, faults: [], closed: undefined, waiting: new Map() }
    ws.on('error', () => {})
    ws.on('message', (data) => {
      const text = String(data)
      const message = JSON.parse(text) as Record<string, unknown>
      const fault = judge(party, dialect, text, message)
      if (fault !== undefined) socket.faults.push(fault)
      if (typeof message.id === 'string') socket.waiting.get(message.id)?.()
    })
    ws.on('close', (code) => {
      socket.closed = code
      for (const wake of socket.waiting.values()) wake()
    })
    await once(ws, 'open')
    return socket
  }

  function write (ws: WebSocket, { value, mutations, spoiling, fragments, binary }: SocketMessage): void {
    const bytes = spoil(writeMutated(value, mutations), spoiling)
    const size = Math.max(1, Math.ceil(bytes.length / fragments))
    for (let start = 0; start === 0 || start < bytes.length; start += size) {
      ws.send(bytes.subarray(start, start + size), { binary, fin: start + size >= bytes.length }, () => {})
    }
  }

  return {
    /** Sends one case and waits until all of it is answered. @returns what is wrong, or undefined */
    async send ({ party, dialect, messages }: SocketCase): Promise<string | undefined> {
      const name = `${party.name} ${dialect}`
      let socket = sockets.get(name)
      if (socket?.ws.readyState !== WebSocket.OPEN) {
        socket = await open(party, dialect)
        sockets.set(name, socket)
      }
      for (const message of messages) write(socket.ws, message)
      const id = `sync-${++number}`
      const answered = new Promise<void>((resolve) => { socket.waiting.set(id, resolve) })
      socket.ws.send(JSON.stringify({ type: 'FETCH', id }), () => {})
      if (socket.closed === undefined) await answered
      socket.waiting.delete(id)
      if (socket.closed !== undefined && !rightCloses.has(socket.closed)) socket.faults.push(`closes with ${socket.closed}`)
      return socket.faults.shift()
    },
    close () { for (const { ws } of sockets.values()) ws.terminate() }
  }
}
