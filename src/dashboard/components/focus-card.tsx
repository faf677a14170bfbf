import { useComputed } from '@preact/signals'
import { signalInfo } from '../data/signals.js'
import { focusId, past, readingView, reloadPast } from '../state/focus.js'
import { rows } from '../state/fleet.js'
import { Battery } from './battery.js'
import { ConditionIcon, conditionWord } from './condition.js'
import { EngineLamp } from './engine-lamp.js'
import { LevelMark, Meter, StaleAge } from './reading.js'
import { RpmArc } from './rpm-arc.js'

/** The chosen vehicle at a glance: gear and speed readable from across the room. */
export function FocusCard () {
  const id = focusId.value
  if (id === null) return <section class='panel focus' aria-label='Vehicle'><p class='panel-note'>Waiting for the fleet…</p></section>
  return (
    <section class='panel focus' aria-labelledby='focus-title'>
      <FocusHead id={id} />
      <div class='focus-grid'>
        <Gear />
        <Speed />
        <RpmArc />
        <div class='focus-side'>
          <Battery />
          <div class='tiles'>
            <Temperature name='motorTemperature' label='Motor' />
            <Temperature name='batteryTemperature' label='Battery' />
            <EngineLamp />
          </div>
        </div>
      </div>
    </section>
  )
}

function FocusHead ({ id }: { id: string }) {
  const row = rows.value.find((candidate) => candidate.id === id)
  const condition = row?.condition.value
  return (
    <div class='panel-head focus-head'>
      <h1 id='focus-title'>{row ? row.name : id}</h1>
      {condition
        ? (
          <span class='condition' data-condition={condition}>
            <ConditionIcon condition={condition} /><span class='condition-reason'>{row?.reason.value || conditionWord(condition)}</span>
          </span>
          )
        : <span class='condition' data-condition='never'>not in the fleet</span>}
      {row?.simulated.value && <span class='tag' title='Made by the simulator, not by a real vehicle'>simulated</span>}
      <span class='focus-age'>
        {past.value === 'failed' && <button type='button' class='button quiet' onClick={reloadPast}>History could not be read: try again</button>}
        {row && row.age.value !== '' && row.age.value !== 'now' && condition !== 'offline' && <>last heard {row.age} ago</>}
      </span>
    </div>
  )
}

function Gear () {
  const view = readingView('gear')
  const long = useComputed(() => view.text.value.length > 2)
  return (
    <div class='gear' data-stale={view.stale} data-long={long}>
      <span class='caption'>Gear</span>
      <span class='giant'>{view.text}</span>
      <StaleAge view={view} />
    </div>
  )
}

function Speed () {
  const view = readingView('speed')
  return (
    <Meter name='speed' label='Speed' class='speed'>
      <span class='caption'>Speed <LevelMark view={view} /></span>
      <span class='giant'><span class='speed-number'>{view.text}</span><span class='giant-unit'>km/h</span></span>
      <StaleAge view={view} />
    </Meter>
  )
}

function Temperature ({ name, label }: { name: string, label: string }) {
  const view = readingView(name)
  return (
    <Meter name={name} label={`${label} temperature`} class='tile'>
      <span class='caption'>{label} <LevelMark view={view} /></span>
      <span class='tile-figure'>{view.text}<span class='unit'> {signalInfo(name).unit}</span></span>
      <StaleAge view={view} />
    </Meter>
  )
}
