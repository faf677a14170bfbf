/** Calls listeners by event name. A listener that throws is reported as an unhandled error, and harms no other. */
export interface Emitter<Events> {
  /** @returns a function that removes the listener */
  on <K extends keyof Events> (event: K, listener: (value: Events[K]) => void): () => void
  emit <K extends keyof Events> (event: K, value: Events[K]): void
  has (event: keyof Events): boolean
}

export function createEmitter<Events> (): Emitter<Events> {
  const listeners = new Map<keyof Events, Set<(value: never) => void>>()
  return {
    on (event, listener) {
      const set = listeners.get(event) ?? new Set()
      listeners.set(event, set.add(listener))
      return () => { set.delete(listener) }
    },
    emit (event, value) {
      for (const listener of [...listeners.get(event) ?? []]) {
        try {
          listener(value as never)
        } catch (error) {
          queueMicrotask(() => { throw error })
        }
      }
    },
    has: (event) => (listeners.get(event)?.size ?? 0) > 0
  }
}
