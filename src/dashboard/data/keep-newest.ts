/**
 * Keeps a collection that messages fill from growing while nothing is painted, as in a
 * hidden tab: of more than twice `limit` entries the newest `limit` stay.
 * @param timeOf epoch milliseconds of an entry; undefined for one that stays anyway
 * @returns ids of those that went
 */
export function keepNewest<T> (byId: Map<string, T>, limit: number, timeOf: (item: T) => number | undefined): string[] {
  if (byId.size <= 2 * limit) return []
  const dated = [...byId].flatMap(([id, item]) => {
    const time = timeOf(item)
    return time === undefined ? [] : [{ id, time }]
  })
  const gone = dated.sort((a, b) => b.time - a.time).slice(limit).map(({ id }) => id)
  for (const id of gone) byId.delete(id)
  return gone
}
