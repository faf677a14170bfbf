import { useComputed } from '@preact/signals'
import { signalInfo } from '../data/signals.js'
import { readingView } from '../state/focus.js'
import { LevelMark, Meter, StaleAge } from './reading.js'

/** Charge as a bar with the marks of its limits. */
export function Battery () {
  const view = readingView('batteryPercentage')
  const info = signalInfo('batteryPercentage')
  const width = useComputed(() => Number.isFinite(view.number.value) ? Math.min(100, Math.max(0, view.number.value)) : 0)
  const marks = [info.warnBelow, info.criticalBelow].filter((mark) => mark !== undefined)
  return (
    <Meter name='batteryPercentage' label='Battery' class='battery'>
      <div class='battery-head'>
        <span class='caption'>Battery</span>
        <LevelMark view={view} />
        <StaleAge view={view} />
        <span class='battery-figure'>{view.text}<span class='unit'> %</span></span>
      </div>
      <svg class='battery-bar' viewBox='0 0 100 10' preserveAspectRatio='none' aria-hidden='true' focusable='false'>
        <rect class='battery-track' width='100' height='10' />
        <rect class='battery-fill' height='10' width={width} />
        {marks.map((mark) => <rect key={mark} class='battery-mark' x={mark} width='0.5' height='10' />)}
      </svg>
    </Meter>
  )
}
