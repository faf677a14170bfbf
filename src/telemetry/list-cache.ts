/** Longest that a list is given again, in milliseconds: what other nodes write is seen no later. */
const FRESH_FOR = 250
const MOST = 100

interface Entry { version: number, until: number, bytes: Promise<Buffer> }

export interface ListCache {
  /**
   * A list as bytes of JSON, made anew when something changed since it was last made. Those who ask
   * while it is being made share it, unless a change came between.
   * @param key all that the list depends on besides the data
   */
  read (key: string, make: () => Promise<unknown>): Promise<Buffer>
}

/**
 * Lists that many ask for again and again, such as dashboards, read and written as JSON
 * once. Nobody gets one older than their own last write.
 * @param version rises with every change made through this process
 * @param now milliseconds
 */
export function createListCache (version: () => number, now: () => number = Date.now): ListCache {
  const entries = new Map<string, Entry>()
  return {
    async read (key, make) {
      const known = entries.get(key)
      if (known && known.version === version() && known.until > now()) return await known.bytes
      const bytes = make().then((list) => Buffer.from(JSON.stringify(list)))
      const entry = { version: version(), until: now() + FRESH_FOR, bytes }
      entries.delete(key)
      // In the order of their age. Nobody is given what is too old, and each may be megabytes.
      for (const [oldest, { until }] of entries) {
        if (until > now() && entries.size < MOST) break
        entries.delete(oldest)
      }
      entries.set(key, entry)
      bytes.catch(() => { if (entries.get(key) === entry) entries.delete(key) })
      return await bytes
    }
  }
}
