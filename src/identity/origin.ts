import type { IncomingHttpHeaders } from 'node:http'

export interface OwnOrigin {
  /** Scheme and host as the client addressed them, `https` and `pitwall.example:8443`. */
  protocol: string
  host: string
  /** `PUBLIC_URL`, without a path. */
  publicUrl?: string | undefined
  /** `CORS_ORIGIN`. */
  corsOrigins: readonly string[]
}

/** True for an `Origin` that is the server's own or one that `CORS_ORIGIN` names. */
export function isAllowedOrigin (origin: string, { protocol, host, publicUrl, corsOrigins }: OwnOrigin): boolean {
  if (origin === `${protocol}://${host}` || corsOrigins.includes(origin)) return true
  return publicUrl !== undefined && URL.canParse(publicUrl) && new URL(publicUrl).origin === origin
}

/**
 * What a browser says about where a request comes from, by Fetch Metadata and `Origin`
 * (OWASP CSRF Prevention Cheat Sheet): `same` for pages of the server or of `CORS_ORIGIN`,
 * `other` for any other page, `unknown` for clients that say nothing.
 */
export function judgeOrigin (headers: IncomingHttpHeaders, own: OwnOrigin): 'same' | 'other' | 'unknown' {
  const { origin } = headers
  if (origin !== undefined) return isAllowedOrigin(origin, own) ? 'same' : 'other'
  const site = headers['sec-fetch-site']
  if (site === undefined) return 'unknown'
  return site === 'same-origin' || site === 'none' ? 'same' : 'other'
}
