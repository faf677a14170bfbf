/** Milliseconds. */
export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** A resolution at which buckets are kept. */
export interface Level {
  name: string
  /** Milliseconds of a bucket. */
  width: number
  /** Milliseconds of a chunk: one stored document. */
  span: number
}

/**
 * From fine to coarse. Each width divides the next, at most ten times but for the last, so
 * that few buckets make up a wider one.
 */
export const levels = [
  { name: '1s', width: SECOND, span: MINUTE },
  { name: '10s', width: 10 * SECOND, span: 10 * MINUTE },
  { name: '1m', width: MINUTE, span: HOUR },
  { name: '10m', width: 10 * MINUTE, span: DAY },
  { name: '1h', width: HOUR, span: DAY }
] as const satisfies readonly Level[]

export const [secondLevel, tenSecondLevel, minuteLevel] = levels
/** Levels rebuilt by the hour from the 10 s level. */
export const hourlyLevels: readonly Level[] = levels.slice(2)

/** Start of the unit that a time falls in. */
export const floorTo = (time: number, unit: number): number => Math.floor(time / unit) * unit
export const ceilTo = (time: number, unit: number): number => Math.ceil(time / unit) * unit

/** Id of a chunk's document. Vehicles' names have no space, and times sort as text. */
export const chunkId = (vehicle: string, level: Level, start: number): string => `${vehicle} ${level.name} ${new Date(start).toISOString()}`

/** Start of a chunk, from its id. */
export const chunkStart = (id: string): number => Date.parse(id.slice(id.lastIndexOf(' ') + 1))

/** Filter for all documents whose id begins with a vehicle's name. */
export const idsOf = (vehicle: string): { $gte: string, $lt: string } => ({ $gte: `${vehicle} `, $lt: `${vehicle}!` })

/** The coarsest level whose buckets are no wider, or -1 when even the finest one's are. */
export const levelFor = (width: number): number => levels.findLastIndex((level) => level.width <= width)
