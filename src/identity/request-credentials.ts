import type { IncomingHttpHeaders } from 'node:http'

/** What a request carries to say who it is, before anything was looked up. */
export type RequestCredential =
  | { from: 'header', token: string }
  | { from: 'subprotocol', tokens: string[] }
  | { from: 'cookie', session: string | undefined, visitor: string | undefined }

export const cookieNames = { session: 'pw_session', refresh: 'pw_refresh', visitor: 'pw_visitor' } as const

const protocols = new Set(['pitwall.v1', 'pitwall.v1+batch'])
const maxTokens = 4
const maxTokenLength = 4096

/**
 * The credential of a request: `X-API-Key`, then `Authorization: Bearer`, then, on an
 * upgrade, the subprotocols that are not Pitwall's own, then the cookies. What was
 * given explicitly is judged alone: a wrong key is not rescued by a good cookie.
 */
export function readCredential (headers: IncomingHttpHeaders, cookies: Record<string, string | undefined>): RequestCredential | null {
  const apiKey = headers['x-api-key']
  if (apiKey !== undefined) return { from: 'header', token: String(apiKey).slice(0, maxTokenLength) }
  const { authorization } = headers
  if (authorization !== undefined) {
    return { from: 'header', token: /^Bearer +(\S+) *$/i.exec(authorization)?.[1]?.slice(0, maxTokenLength) ?? '' }
  }
  if (headers.upgrade !== undefined) {
    const tokens = readSubprotocolTokens(headers['sec-websocket-protocol'])
    if (tokens.length > 0) return { from: 'subprotocol', tokens }
  }
  const session = cookies[cookieNames.session]
  const visitor = cookies[cookieNames.visitor]
  return session === undefined && visitor === undefined ? null : { from: 'cookie', session, visitor }
}

/** The offered subprotocols that are credentials: all but Pitwall's own names, at most four. */
export function readSubprotocolTokens (header: string | undefined): string[] {
  return (header ?? '').split(',').map((part) => part.trim()).filter((part) => part !== '' && !protocols.has(part)).slice(0, maxTokens)
}
