/** Adds to a count by key; what comes to nothing is forgotten. */
export function countIn (counts: Map<string, number>, key: string, change: number): void {
  const count = (counts.get(key) ?? 0) + change
  if (count === 0) counts.delete(key)
  else counts.set(key, count)
}
