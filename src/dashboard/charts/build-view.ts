import { gapAfter } from '../data/cadence.js'
import type { VehicleHistory } from '../data/vehicle-history.js'
import type { RollupRing } from '../data/rollup-ring.js'

type Cell = number | null | undefined
/** Times, then per signal one column (`raw`) or mean, max and min (`rollup`). null breaks the line, undefined does not. */
export type ChartData = [number[], ...Cell[][]]
export type Detail = 'raw' | 'rollup'

/** Columns a signal takes in each kind of view. */
export const columnsPer = { raw: 1, rollup: 3 } as const

/** Which detail a window is drawn in: up to two minutes sample by sample. */
export const detailOf = (span: number): Detail => span <= 120_000 ? 'raw' : 'rollup'

/** Which rollup covers a span of milliseconds. */
export const rollupOf = (history: VehicleHistory, span: number): RollupRing =>
  span <= history.seconds.width * (history.seconds.rows.capacity - 1) ? history.seconds : history.quarters

/** Fills `out` with what a chart shows between two times, a row beyond each edge included. */
export function buildView (history: VehicleHistory, signals: string[], from: number, to: number, detail: Detail, out: ChartData): void {
  out[0].length = 0
  for (let column = 1; column <= signals.length * columnsPer[detail]; column++) (out[column] ??= []).length = 0
  if (detail === 'raw') buildRaw(history, signals, from, to, out)
  else buildRollup(rollupOf(history, to - from), signals, from, to, out)
}

function buildRaw (history: VehicleHistory, signals: string[], from: number, to: number, out: ChartData): void {
  const ring = history.raw
  const limits = signals.map((signal) => gapAfter(history.cadence.get(signal) ?? 0))
  const lastTime = signals.map(() => NaN)
  const lastRow = signals.map(() => -1)
  const first = Math.max(0, ring.lowerBound(from) - 1)
  for (let index = first; index < ring.length; index++) {
    const time = ring.timeAt(index)
    let row = -1
    for (let position = 0; position < signals.length; position++) {
      const value = ring.valueAt(signals[position] ?? '', index)
      if (Number.isNaN(value)) continue
      if (row < 0) row = pushRow(out, time, signals.length)
      if (time - (lastTime[position] ?? NaN) > (limits[position] ?? 0)) {
        row = breakLine(out, position + 1, lastRow[position] ?? -1, row)
      }
      setCell(out, position + 1, row, value)
      lastTime[position] = time
      lastRow[position] = row
    }
    if (time > to) break
  }
}

function buildRollup (ring: RollupRing, signals: string[], from: number, to: number, out: ChartData): void {
  const { rows } = ring
  const limit = ring.coarseness * 2.5
  const lastTime = signals.map(() => NaN)
  const lastRow = signals.map(() => -1)
  const first = Math.max(0, rows.lowerBound(from) - 1)
  for (let index = first; index < rows.length; index++) {
    const start = rows.timeAt(index)
    let row = -1
    for (let position = 0; position < signals.length; position++) {
      const signal = signals[position] ?? ''
      const mean = ring.part(signal, 'mean', index)
      if (Number.isNaN(mean)) continue
      if (row < 0) row = pushRow(out, start + ring.width / 2, signals.length * 3)
      const column = position * 3 + 1
      if (start - (lastTime[position] ?? NaN) > limit) {
        const previous = lastRow[position] ?? -1
        row = breakLine(out, column, previous, row)
        for (const extra of [column + 1, column + 2]) setCell(out, extra, previous + 1, null)
      }
      setCell(out, column, row, mean)
      setCell(out, column + 1, row, ring.part(signal, 'max', index))
      setCell(out, column + 2, row, ring.part(signal, 'min', index))
      lastTime[position] = start
      lastRow[position] = row
    }
    if (start > to) break
  }
}

function pushRow (out: ChartData, time: number, columns: number): number {
  out[0].push(time)
  const cells: Cell[][] = out
  for (let column = 1; column <= columns; column++) cells[column]?.push(undefined)
  return out[0].length - 1
}

/** Puts a null between two rows of a column; needs a row of its own when they are neighbours. */
function breakLine (out: ChartData, column: number, previous: number, row: number): number {
  if (previous + 1 < row) {
    setCell(out, column, previous + 1, null)
    return row
  }
  const time = ((out[0][previous] ?? 0) + (out[0][row] ?? 0)) / 2
  out[0].splice(row, 0, time)
  const cells: Cell[][] = out
  for (let other = 1; other < out.length; other++) cells[other]?.splice(row, 0, other === column ? null : undefined)
  return row + 1
}

function setCell (out: ChartData, column: number, row: number, value: Cell): void {
  const cells: Cell[] | undefined = out[column]
  if (cells) cells[row] = value
}
