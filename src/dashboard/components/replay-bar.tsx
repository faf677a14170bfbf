import { useEffect, useRef } from 'preact/hooks'
import { formatClock } from '../data/format.js'
import { addPainter } from '../state/frame-loop.js'
import { playhead, replay } from '../state/playback.js'
import { replayFault, seekReplay, setSpeed, speeds, stopReplay, toggleReplay } from '../state/replay.js'
import { CloseIcon, PauseIcon, PlayIcon } from './icons.js'

/** Controls of a replay: play, position, speed. */
export function ReplayBar () {
  const view = replay.value
  if (!view) return replayFault.value === '' ? null : <p class='panel-note replay-fault' role='status'>No replay: {replayFault}</p>
  const playing = view.phase === 'playing'
  return (
    <div class='replay-bar' role='group' aria-label='Replay' data-phase={view.phase}>
      <button type='button' class='icon-button' aria-label={playing ? 'Pause the replay' : view.phase === 'ended' ? 'Play again' : 'Play on'} disabled={view.phase === 'opening'} onClick={toggleReplay}>
        {playing ? <PauseIcon /> : <PlayIcon />}
      </button>
      <Position from={view.from} to={view.to} />
      <label class='replay-speed'>
        <span class='sr-only'>Replay speed</span>
        <select value={String(view.speed)} onChange={(event) => setSpeed(Number(event.currentTarget.value))}>
          {speeds.map((speed) => <option key={speed} value={String(speed)}>×{speed}</option>)}
        </select>
      </label>
      <button type='button' class='icon-button' aria-label='End the replay' onClick={stopReplay}><CloseIcon /></button>
      {replayFault.value !== '' && <span class='replay-fault' role='status'>{replayFault}</span>}
    </div>
  )
}

/** The slider: moves with the replay, and seeks when it is let go. */
function Position ({ from, to }: { from: number, to: number }) {
  const slider = useRef<HTMLInputElement>(null)
  const clock = useRef<HTMLOutputElement>(null)
  useEffect(() => {
    const input = slider.current
    if (!input) return undefined
    let held = false
    let told = 0
    const show = (at: number) => {
      const text = formatClock(at)
      if (clock.current) clock.current.value = text
      input.ariaValueText = text
    }
    const hold = () => {
      held = true
      show(input.valueAsNumber)
    }
    const release = () => {
      if (held) seekReplay(input.valueAsNumber)
      held = false
    }
    input.addEventListener('input', hold)
    input.addEventListener('change', release)
    const remove = addPainter({
      element: input,
      paint (now) {
        const at = playhead()
        if (at === null || held || Math.abs(now - told) < 100) return
        told = now
        input.value = String(at)
        show(at)
      }
    })
    return () => {
      remove()
      input.removeEventListener('input', hold)
      input.removeEventListener('change', release)
    }
  }, [from, to])
  return (
    <>
      <input ref={slider} class='replay-position' type='range' min={from} max={to} step={100} aria-label='Position' />
      <output ref={clock} class='replay-clock' />
    </>
  )
}
