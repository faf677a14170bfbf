import { isFields, readTime } from './parse.js'

/** Differences below this are jitter of the measurement, milliseconds. */
const TOLERANCE = 100
let offset = 0

/** The server's time, epoch milliseconds, as well as this page knows it. */
export const serverNow = (): number => Date.now() + offset

/** Asks the server for its time, so that ages hold on a machine whose own clock is off. */
export async function alignClock (fetcher: typeof fetch = fetch): Promise<void> {
  const start = Date.now()
  const response = await fetcher('/health')
  const body: unknown = await response.json()
  const time = isFields(body) ? readTime(body.time) : NaN
  if (!Number.isFinite(time)) return
  const difference = time - (start + Date.now()) / 2
  offset = Math.abs(difference) > TOLERANCE ? difference : 0
}
