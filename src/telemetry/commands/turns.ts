/** Runs tasks of the same name one after another, in the order they came. */
export function createTurns (): <T>(name: string, task: () => Promise<T>) => Promise<T> {
  const tails = new Map<string, Promise<void>>()
  return async (name, task) => {
    const before = tails.get(name)
    const turn = (async () => {
      await before
      return await task()
    })()
    const tail = turn.then(() => {}, () => {})
    tails.set(name, tail)
    try {
      return await turn
    } finally {
      if (tails.get(name) === tail) tails.delete(name)
    }
  }
}
