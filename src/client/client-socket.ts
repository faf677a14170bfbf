import { isReservedType } from '../schemas/reserved-types.js'
import { ClientError, type SocketConstructor, type SocketLike } from './types.js'

interface Surroundings {
  WebSocket?: SocketConstructor
  location?: { host: string, protocol: string }
}
const surroundings = globalThis as unknown as Surroundings

/** The WebSocket class given, or the global one. @throws where there is neither */
export function findWebSocket (given?: unknown): SocketConstructor {
  const found = given ?? surroundings.WebSocket
  if (typeof found !== 'function') {
    throw new ClientError('NO_WEBSOCKET', 'There is no global WebSocket here (Node has one from version 22): pass the class of the ws package as the option WebSocket')
  }
  return found as SocketConstructor
}

/** `http` addresses become `ws` ones; without one it is the page's own server, or port 5000 of this machine. */
export function socketUrl (url?: string): string {
  const { location } = surroundings
  const own = location?.host ? `${location.protocol}//${location.host}/ws` : 'ws://127.0.0.1:5000/ws'
  return (url ?? own).replace(/^http/, 'ws')
}

/**
 * A plain WebSocket with the key as its subprotocol: it gets what plain clients get.
 * @param url address of the server; the page's own by default, `ws://127.0.0.1:5000/ws` outside a page
 * @param WebSocket class to use where there is no global one
 */
export function clientSocket (key: string, url?: string, WebSocket?: unknown): SocketLike {
  return new (findWebSocket(WebSocket))(socketUrl(url), [key])
}

/** A message to every client: any type not reserved, a text, and data of any kind. */
export interface TMDMessage { type: string, message?: string, data?: unknown }

/**
 * A type-message-data object, checked, ready for `JSON.stringify` and `send`.
 * @throws ClientError VALIDATION_FAILED or RESERVED_TYPE
 */
export function TMD (fields: TMDMessage): TMDMessage {
  const { type, message, data } = fields
  if (typeof type !== 'string' || type === '' || type.length > 128) throw new ClientError('VALIDATION_FAILED', 'type must be a string of 1 to 128 characters')
  if (message !== undefined && typeof message !== 'string') throw new ClientError('VALIDATION_FAILED', 'message must be a string')
  if (isReservedType(type) && !(type === 'message' && message !== undefined)) {
    throw new ClientError('RESERVED_TYPE', `The type ${type} is reserved`)
  }
  return { type, ...(message !== undefined && { message }), ...(data !== undefined && { data }) }
}
