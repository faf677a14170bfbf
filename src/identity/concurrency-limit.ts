import { PitwallError } from '../errors.js'

/**
 * Runs at most `running` tasks at once and lets at most `waiting` more wait.
 * @throws OVERLOADED when the queue is full
 */
export function createConcurrencyLimit (running: number, waiting: number): <T>(task: () => Promise<T>) => Promise<T> {
  const queue: (() => void)[] = []
  let active = 0
  return async (task) => {
    if (active >= running) {
      if (queue.length >= waiting) throw new PitwallError('OVERLOADED', 'Too many sign-ins at once; try again shortly', { retryAfter: 1 })
      await new Promise<void>((resolve) => queue.push(resolve))
    } else {
      active++
    }
    try {
      return await task()
    } finally {
      const next = queue.shift()
      if (next) next()
      else active--
    }
  }
}
