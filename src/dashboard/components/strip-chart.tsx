import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { detailOf } from '../charts/build-view.js'
import type { ChartGroup } from '../charts/chart-groups.js'
import { readPalette } from '../charts/palette.js'
import { AXIS_WIDTH, createStripChart, EDGE, type StripChart as Chart } from '../charts/strip-chart.js'
import { withUnit } from '../data/format.js'
import type { VehicleHistory } from '../data/vehicle-history.js'
import { chartReading, focusHistory } from '../state/focus.js'
import { addPainter } from '../state/frame-loop.js'
import { reducedMotion } from '../state/media.js'
import { theme } from '../state/theme.js'
import { cursorTime, hoverTime, paused, windowKey } from '../state/view.js'
import { shownRange } from '../state/window.js'
import { ChartTable } from './chart-table.js'
import { ChartIcon, TableIcon } from './icons.js'

/** One strip chart with its readings and, instead of the drawing, its table. */
export function StripChart ({ group }: { group: ChartGroup }) {
  const asTable = useSignal(false)
  return (
    <figure class='strip' data-table={asTable}>
      <figcaption class='strip-head'>
        <h3>{group.title}{group.unit && <span class='unit'> {group.unit}</span>}</h3>
        <ul class='legend'>
          {group.signals.map((info, index) => (
            <li key={info.name} data-series={index % 3 + 1}>
              <span class='swatch' aria-hidden='true' />
              {group.signals.length > 1 && <span class='legend-label'>{info.label}</span>}
              <span class='legend-value'>{withUnit(chartReading(info.name).value, info.unit)}</span>
            </li>
          ))}
        </ul>
        <button type='button' class='icon-button' aria-pressed={asTable} aria-label={`${group.title}: ${asTable.value ? 'show as chart' : 'show as table'}`} onClick={() => { asTable.value = !asTable.value }}>
          {asTable.value ? <ChartIcon /> : <TableIcon />}
        </button>
      </figcaption>
      {asTable.value ? <ChartTable group={group} /> : <Canvas group={group} />}
    </figure>
  )
}

function Canvas ({ group }: { group: ChartGroup }) {
  const ref = useRef<HTMLDivElement>(null)
  const colours = theme.value
  useEffect(() => {
    const element = ref.current
    return element ? animate(element, group) : undefined
  }, [group, colours])
  return <div class='strip-plot' ref={ref} role='img' aria-label={`${group.title} over time; the table beside the title holds the same values`} />
}

/** Keeps a chart painted: only when it would look different, only while it is on screen. */
function animate (element: HTMLElement, group: ChartGroup): () => void {
  const palette = readPalette()
  let chart: Chart | undefined
  // Kept from the observer: asking the element each frame would force a layout each frame.
  let width = element.clientWidth
  let height = element.clientHeight
  let detail = ''
  let drawn: { history?: VehicleHistory, version: number, from: number, to: number } = { version: -1, from: 0, to: 0 }

  const prepare = (wanted: 'raw' | 'rollup'): Chart => {
    chart?.destroy()
    detail = wanted
    drawn = { version: -1, from: 0, to: 0 }
    chart = createStripChart(element, width, height, {
      group,
      detail: wanted,
      palette,
      onHover: (time) => { hoverTime.value = time }
    })
    return chart
  }

  const remove = addPainter({
    element,
    paint (now) {
      const history = focusHistory()
      if (!history || width === 0 || height === 0) return
      const { from, to } = shownRange(now)
      const wanted = detailOf(to - from)
      const current = chart && wanted === detail ? chart : prepare(wanted)
      const pixel = (to - from) / Math.max(1, width - AXIS_WIDTH - EDGE)
      const step = reducedMotion.peek() ? 500 : Math.min(1000, pixel / 2)
      const moved = Math.abs(to - drawn.to) >= step || Math.abs((to - from) - (drawn.to - drawn.from)) > pixel
      const changed = history !== drawn.history || (history.version !== drawn.version && paused.peek())
      if (moved || changed) {
        drawn = { history, version: history.version, from, to }
        current.draw(history, from, to)
      }
      if (hoverTime.peek() === null) current.mark(cursorTime.peek())
    }
  })
  const observer = new ResizeObserver(() => {
    width = element.clientWidth
    height = element.clientHeight
    if (width > 0 && height > 0) chart?.resize(width, height)
    drawn.to = 0
  })
  observer.observe(element)
  const unsubscribe = windowKey.subscribe(() => { drawn.to = 0 })
  return () => {
    remove()
    unsubscribe()
    observer.disconnect()
    chart?.destroy()
  }
}
