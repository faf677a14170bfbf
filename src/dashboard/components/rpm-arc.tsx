import { useComputed } from '@preact/signals'
import { formatNumber } from '../data/format.js'
import { signalInfo } from '../data/signals.js'
import { readingView } from '../state/focus.js'
import { Meter, StaleAge } from './reading.js'

const CENTRE = 100
const RADIUS = 84
const START = 150
const SWEEP = 240

const place = (ratio: number, radius: number) => {
  const angle = (START + SWEEP * ratio) * Math.PI / 180
  return [CENTRE + radius * Math.cos(angle), CENTRE + radius * Math.sin(angle)].map((value) => value.toFixed(2)).join(' ')
}

function arc (from: number, to: number, radius: number): string {
  const large = (to - from) * SWEEP > 180 ? 1 : 0
  return `M${place(from, radius)}A${radius} ${radius} 0 ${large} 1 ${place(to, radius)}`
}

/** The motor's speed on an arc, the redline marked where the registry puts it. */
export function RpmArc () {
  const view = readingView('motorRPM')
  const info = signalInfo('motorRPM')
  const max = info.max ?? 9000
  const amber = (info.warnAbove ?? max) / max
  const red = (info.criticalAbove ?? max) / max
  const dash = useComputed(() => {
    const ratio = Math.min(1, Math.max(0, Math.abs(view.number.value) / max))
    return `${((Number.isFinite(ratio) ? ratio : 0) * 100).toFixed(1)} 200`
  })
  const marks = Array.from({ length: Math.floor(max / 1000) + 1 }, (_, index) => index)
  return (
    <Meter name='motorRPM' label='Motor speed' class='rpm'>
      <svg viewBox='0 0 200 152' aria-hidden='true' focusable='false'>
        <path class='rpm-track' d={arc(0, 1, RADIUS)} />
        <path class='rpm-amber' d={arc(amber, red, RADIUS + 9.5)} />
        <path class='rpm-red' d={arc(red, 1, RADIUS + 9.5)} />
        <path class='rpm-value' d={arc(0, 1, RADIUS)} pathLength='100' stroke-dasharray={dash} />
        {marks.map((mark) => {
          const ratio = mark * 1000 / max
          return (
            <g key={mark}>
              <path class='rpm-tick' d={`M${place(ratio, RADIUS - 9)}L${place(ratio, RADIUS - 14)}`} />
              <text class='rpm-number' x={place(ratio, RADIUS - 23).split(' ')[0]} y={place(ratio, RADIUS - 23).split(' ')[1]} dy='3.5'>{mark}</text>
            </g>
          )
        })}
      </svg>
      <div class='rpm-text'>
        <span class='rpm-figure'>{view.text}</span>
        <span class='caption'>rpm <span class='rpm-scale'>marks × {formatNumber(1000)}</span></span>
        <StaleAge view={view} />
      </div>
    </Meter>
  )
}
