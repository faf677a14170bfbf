export interface RemovalsOptions {
  /** Resolves when the samples that are being stored now are stored and told of. */
  settle (): Promise<void>
  /** Resolves when all samples that wait now are stored or refused. */
  pass (): Promise<void>
  /** Called once with vehicles whose documents have just gone, before anything of them is refused; must not wait. */
  onGone (vehicles: string[]): void
  /** Removes all else of them. */
  removeData (vehicles: string[]): Promise<void>
}

/** Vehicles that are being removed. */
export interface Removals {
  /** True when no vehicle is being removed. */
  readonly isIdle: boolean

  /**
   * Vehicles whose documents are gone and whose data is going: what is sent of them is
   * to be refused. Waits for removals that are about to take documents away. Whoever
   * stores samples asks as the first thing: a removal that begins later waits for them.
   */
  gone (): Promise<ReadonlySet<string>>

  /**
   * Removes vehicles: first their documents, by `removeDocuments`, then their data.
   * @returns what `removeDocuments` returns; when it throws, nothing was removed
   */
  remove<T> (removeDocuments: () => Promise<{ ids: string[], result: T }>): Promise<T>
}

/**
 * The order of removals and samples. What was taken in before a removal is stored before
 * it, and goes with the vehicle, or is refused. What is sent once the removal is over
 * makes the vehicle anew. Nothing that is removed comes back by what was sent before.
 */
export function createRemovals ({ settle, pass, onGone, removeData }: RemovalsOptions): Removals {
  const underWay = new Set<Promise<string[]>>()

  return {
    get isIdle () { return underWay.size === 0 },

    gone: async () => new Set((await Promise.all(underWay)).flat()),

    async remove (removeDocuments) {
      let decide = (_gone: string[]) => {}
      const decision = new Promise<string[]>((resolve) => { decide = resolve })
      underWay.add(decision)
      try {
        // These know nothing of the removal: they might make anew the document that it takes away.
        await settle()
        const { ids, result } = await removeDocuments()
        onGone(ids)
        decide(ids)
        await removeData(ids)
        // What still waits was sent before the removal was answered.
        await pass()
        return result
      } finally {
        decide([])
        underWay.delete(decision)
      }
    }
  }
}
