/** Vehicles that are marked at the most: one request each, of the few hundred a minute that a key has. */
const MAX_MARKED = 500

/**
 * Adds vehicles as simulated ones before their first sample would add them as real.
 * @returns what to tell whoever started this, or null when all are marked
 */
export async function markVehicles (url: string, key: string, ids: readonly string[]): Promise<string | null> {
  if (ids.length > MAX_MARKED) return `only up to ${MAX_MARKED} vehicles are marked as simulated: these are not`
  const base = url.replace(/^ws/, 'http').replace(/\/ws\/?$/, '').replace(/\/$/, '')
  for (const id of ids) {
    let status: number
    try {
      const response = await fetch(`${base}/api/vehicles`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': key },
        body: JSON.stringify({ id, simulated: true })
      })
      status = response.status
      await response.arrayBuffer()
    } catch {
      return 'the server is not reachable yet, so the vehicles are not marked as simulated'
    }
    // The drive itself will say so.
    if (status === 401) return null
    if (status === 403) return 'the key lacks the scope operate, so the vehicles are not marked as simulated'
    if (status !== 201 && status !== 409) return `the vehicles are not marked as simulated: the server answered ${status}`
  }
  return null
}
