/** Milliseconds of the first and of the longest ceiling. */
const FIRST = 500
const LONGEST = 10_000

/**
 * Full jitter: anything between nothing and a ceiling that doubles, so that clients
 * which were cut off together do not come back together.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 * @param attempt from 1
 * @param random number from 0 to 1
 */
export const backoff = (attempt: number, random = Math.random()): number =>
  Math.round(random * Math.min(LONGEST, FIRST * 2 ** (attempt - 1)))
