/** Random numbers that a seed decides. */
export interface Random {
  /** From 0 up to, not including, 1. */
  next (): number
  /** Evenly between two bounds. */
  between (low: number, high: number): number
}

/** FNV-1a, 32 bits. */
function hashText (text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

/** Mulberry32 (Tommy Ettinger, public domain): 32 bits of state, good enough to drive cars. */
export function createRandom (seed: string): Random {
  let state = hashText(seed)
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  return { next, between: (low, high) => low + (high - low) * next() }
}
