import { formatClock, formatNumber } from '../data/format.js'
import { heldMessages } from '../state/focus.js'
import { goLive, step, togglePause } from '../state/hold.js'
import { replay } from '../state/playback.js'
import { startReplay, stepReplay } from '../state/replay.js'
import { cursorTime, hoverTime, paused, pausedAt, windowKey, windows, type WindowKey } from '../state/view.js'
import { BackIcon, ForwardIcon, PauseIcon, PlayIcon } from './icons.js'

/** How much time the charts show, and whether it moves. */
export function TimeBar () {
  const keys = Object.keys(windows) as WindowKey[]
  return (
    <div class='time-bar' data-paused={paused}>
      <div class='segments' role='group' aria-label='Time window'>
        {keys.map((key) => (
          <button key={key} type='button' aria-pressed={windowKey.value === key} onClick={() => { windowKey.value = key }}>{windows[key].label}</button>
        ))}
      </div>
      <Instant />
      <div class='time-actions'>
        {paused.value && (
          <>
            <button type='button' class='icon-button' aria-label='One step back' onClick={() => replay.peek() ? stepReplay(-1) : step(-1)}><BackIcon /></button>
            <button type='button' class='icon-button' aria-label='One step forward' onClick={() => replay.peek() ? stepReplay(1) : step(1)}><ForwardIcon /></button>
            {!replay.value && <button type='button' class='button' onClick={startReplay}>Replay</button>}
            <button type='button' class='button' onClick={goLive}>Live</button>
          </>
        )}
        <button type='button' class='button pause-button' aria-pressed={paused.value} onClick={togglePause}>
          {paused.value ? <><PlayIcon /><span class='pause-word'>Paused</span> <span class='held'>+{formatNumber(heldMessages.value)}</span></> : <><PauseIcon /><span class='pause-word'>Pause</span></>}
        </button>
      </div>
    </div>
  )
}

/** The instant that is read: under the pointer, stepped to, or where the view is held. */
function Instant () {
  const at = hoverTime.value ?? (replay.value ? null : cursorTime.value ?? pausedAt.value)
  return <span class='instant'>{at === null ? '' : formatClock(at, true)}</span>
}
