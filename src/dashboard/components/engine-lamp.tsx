import { lampWord } from '../data/assess.js'
import { readingView } from '../state/focus.js'
import { EngineIcon } from './icons.js'
import { StaleAge } from './reading.js'

/** The engine's lamp as icon and word: amber asks for service, red for a stop. */
export function EngineLamp () {
  const view = readingView('engineLight')
  const value = view.value.value
  const state = value === 'red' || value === 'amber' || value === 'off' ? value : 'none'
  return (
    <div class='tile lamp' data-lamp={state} data-stale={view.stale}>
      <span class='caption'>Engine</span>
      <span class='lamp-reading'><EngineIcon /><b>{state === 'none' ? '–' : lampWord(value)}</b></span>
      <StaleAge view={view} />
    </div>
  )
}
