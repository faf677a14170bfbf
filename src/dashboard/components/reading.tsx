import { useComputed } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { signalInfo } from '../data/signals.js'
import { readingView, type ReadingView } from '../state/focus.js'
import { AlertIcon, ClockIcon } from './icons.js'

/** How old a reading is, once it is too old to be of now. Its place is kept, so that nothing jumps. */
export function StaleAge ({ view }: { view: ReadingView }) {
  if (view.age.value === '') return <span class='stale-age' />
  return <span class='stale-age'><ClockIcon />{view.age}<span class='sr-only'> old</span></span>
}

/** Says that a reading is beyond its limits, in words beside the colour. */
export function LevelMark ({ view }: { view: ReadingView }) {
  const level = view.level.value
  if (level === 'ok') return null
  return <span class='level-mark' data-level={level}><AlertIcon critical={level === 'critical'} /><span class='sr-only'>{level}</span></span>
}

interface MeterProps { name: string, label: string, class: string, children: ComponentChildren }

/** A measured value for eyes and for assistive technology, which hears of it once a second at most. */
export function Meter ({ name, label, class: className, children }: MeterProps) {
  const view = readingView(name)
  const info = signalInfo(name)
  const min = info.min ?? 0
  const max = info.max ?? 100
  // Bound, not rendered: a meter that renders again would cut the bindings of the elements it was given.
  const now = useComputed(() => {
    const { number } = view.spoken.value
    return Number.isFinite(number) ? Math.min(max, Math.max(min, Math.round(number))) : min
  })
  const text = useComputed(() => view.spoken.value.text || 'no value')
  return (
    <div
      class={className}
      role='meter'
      aria-label={label}
      aria-valuemin={min}
      aria-valuemax={max}
      aria-valuenow={now}
      aria-valuetext={text}
      data-stale={view.stale}
      data-level={view.level}
    >
      {children}
    </div>
  )
}
