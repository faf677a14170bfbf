import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { ChartGroup } from '../charts/chart-groups.js'
import { summarise, type SummaryRow } from '../charts/summarise.js'
import { serverNow } from '../data/clock.js'
import { formatClock, formatNumber } from '../data/format.js'
import { focusHistory } from '../state/focus.js'
import { replay } from '../state/playback.js'
import { paused, pausedAt } from '../state/view.js'
import { shownRange } from '../state/window.js'

/** Table's refresh while live, milliseconds: slow enough to read. */
const REFRESH = 2000

/** The chart's values in words and figures, newest first. */
export function ChartTable ({ group }: { group: ChartGroup }) {
  const table = useSignal<SummaryRow[]>([])
  useEffect(() => {
    const refresh = () => {
      const history = focusHistory()
      if (!history) return
      const { from, to } = shownRange(serverNow())
      table.value = summarise(history, group.signals.map(({ name }) => name), from, to)
    }
    refresh()
    const timer = setInterval(() => { if (!paused.peek() || replay.peek()) refresh() }, REFRESH)
    const unsubscribe = pausedAt.subscribe(refresh)
    return () => {
      clearInterval(timer)
      unsubscribe()
    }
  }, [group])
  return (
    <div class='strip-table scroll' tabIndex={0} role='region' aria-label={`${group.title}, values`}>
      <table>
        <thead>
          <tr>
            <th scope='col'>Until</th>
            {group.signals.flatMap((info) => ['lowest', 'mean', 'highest'].map((part) => (
              <th key={info.name + part} scope='col'>{group.signals.length > 1 ? `${info.label}, ${part}` : part}</th>
            )))}
          </tr>
        </thead>
        <tbody>
          {table.value.map((row) => (
            <tr key={row.to}>
              <th scope='row'>{formatClock(row.to)}</th>
              {row.cells.flatMap((cell, index) => (['min', 'mean', 'max'] as const).map((part) => (
                <td key={index + part}>{cell ? formatNumber(cell[part], 1) : <span class='none'>no data</span>}</td>
              )))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
