/**
 * Loads again whenever asked to, one load at a time.
 * @returns what asks; it resolves once a load that began after the call is over, and rejects with its error
 */
export function createReload (load: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  let following: Promise<void> | undefined

  const begin = () => {
    const loading = load().finally(() => { if (running === loading) running = undefined })
    running = loading
    return loading
  }

  return () => {
    if (!running) return begin()
    following ??= running.catch(() => undefined).then(() => {
      following = undefined
      return begin()
    })
    return following
  }
}
