import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { groupSignals, sameGroups, type ChartGroup } from '../charts/chart-groups.js'
import { readPalette } from '../charts/palette.js'
import { createTimeRuler } from '../charts/time-ruler.js'
import { focusId, past } from '../state/focus.js'
import { fleet } from '../state/fleet.js'
import { addPainter } from '../state/frame-loop.js'
import { reducedMotion } from '../state/media.js'
import { theme } from '../state/theme.js'
import { shownRange } from '../state/window.js'
import { ReplayBar } from './replay-bar.js'
import { StripChart } from './strip-chart.js'
import { TimeBar } from './time-bar.js'

/** Strip charts of the vehicle in focus, one per unit. */
export function ChartPanel () {
  const groups = useSignal<ChartGroup[]>([])
  const id = focusId.value
  useEffect(() => {
    const refresh = () => {
      const next = groupSignals(fleet.vehicles.get(id ?? '')?.readings ?? new Map())
      if (!sameGroups(next, groups.peek())) groups.value = next
    }
    refresh()
    const timer = setInterval(refresh, 500)
    return () => clearInterval(timer)
  }, [id])
  const list = groups.value
  return (
    <section class='panel charts' aria-label='Charts'>
      <div>
        <TimeBar />
        <ReplayBar />
      </div>
      <div class='strips scroll'>
        {list.length === 0 && <p class='panel-note'>{past.value === 'loading' ? 'Reading the history…' : 'This vehicle has sent nothing that could be drawn.'}</p>}
        {list.map((group) => <StripChart key={`${id}:${group.key}`} group={group} />)}
      </div>
      <Ruler />
    </section>
  )
}

function Ruler () {
  const ref = useRef<HTMLCanvasElement>(null)
  const colours = theme.value
  useEffect(() => {
    const canvas = ref.current
    if (!canvas) return undefined
    const ruler = createTimeRuler(canvas, readPalette())
    let drawn = { from: 0, to: 0 }
    const observer = new ResizeObserver(() => {
      ruler.resize(canvas.clientWidth, canvas.clientHeight)
      drawn = { from: 0, to: 0 }
    })
    observer.observe(canvas)
    const remove = addPainter({
      element: canvas,
      paint (now) {
        const { from, to } = shownRange(now)
        const pixel = (to - from) / Math.max(1, ruler.width)
        const step = reducedMotion.peek() ? 500 : Math.min(1000, pixel / 2)
        const zoomed = Math.abs((to - from) - (drawn.to - drawn.from)) > pixel
        if (!zoomed && Math.abs(to - drawn.to) < step) return
        drawn = { from, to }
        ruler.draw(from, to)
      }
    })
    return () => {
      remove()
      observer.disconnect()
    }
  }, [colours])
  return <canvas class='ruler' ref={ref} aria-hidden='true' />
}
