import type { Protocol } from './connection.js'

const batched = 'pitwall.v1+batch'
const versioned = 'pitwall.v1'

/**
 * The subprotocol that an upgrade is answered with: Pitwall's own where it was offered, so
 * that the key beside it is not repeated; else the first offered, the key itself.
 */
export function selectProtocol (offered: ReadonlySet<string>): string | false {
  if (offered.has(batched)) return batched
  if (offered.has(versioned)) return versioned
  const [first] = offered
  return first ?? false
}

/** What a socket speaks, by the subprotocol it was answered with. */
export const protocolOf = (selected: string): Protocol =>
  selected === batched || selected === versioned ? selected : 'plain'
