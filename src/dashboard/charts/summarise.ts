import type { VehicleHistory } from '../data/vehicle-history.js'
import { detailOf, rollupOf } from './build-view.js'

export interface SummaryCell { min: number, mean: number, max: number, count: number }
/** One line of a chart's table; null where a signal said nothing. */
export interface SummaryRow { from: number, to: number, cells: (SummaryCell | null)[] }

/** What a chart shows, as a table of equal stretches, newest first. */
export function summarise (history: VehicleHistory, signals: string[], from: number, to: number, lines = 12): SummaryRow[] {
  const width = (to - from) / lines
  const table: SummaryRow[] = Array.from({ length: lines }, (_, index) => ({
    from: from + index * width, to: from + (index + 1) * width, cells: signals.map(() => null)
  }))
  const add = (time: number, column: number, cell: SummaryCell) => {
    const row = table[Math.floor((time - from) / width)]
    if (!row || Number.isNaN(cell.mean)) return
    const known = row.cells[column]
    row.cells[column] = known ? join(known, cell) : cell
  }
  if (detailOf(to - from) === 'raw') {
    const ring = history.raw
    for (let index = ring.lowerBound(from); index < ring.length && ring.timeAt(index) < to; index++) {
      signals.forEach((signal, column) => {
        const value = ring.valueAt(signal, index)
        add(ring.timeAt(index), column, { min: value, mean: value, max: value, count: 1 })
      })
    }
  } else {
    const ring = rollupOf(history, to - from)
    for (let index = ring.rows.lowerBound(from); index < ring.rows.length && ring.rows.timeAt(index) < to; index++) {
      signals.forEach((signal, column) => add(ring.rows.timeAt(index), column, {
        min: ring.part(signal, 'min', index),
        mean: ring.part(signal, 'mean', index),
        max: ring.part(signal, 'max', index),
        count: ring.part(signal, 'count', index)
      }))
    }
  }
  return table.reverse()
}

function join (a: SummaryCell, b: SummaryCell): SummaryCell {
  const count = a.count + b.count
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max), mean: (a.mean * a.count + b.mean * b.count) / count, count }
}
