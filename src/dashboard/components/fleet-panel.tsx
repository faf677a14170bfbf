import { useEffect } from 'preact/hooks'
import type { FleetFilter } from '../data/assess.js'
import { shownRows } from '../state/choose.js'
import { counts, fleetKnown, listHeld, type FleetRow as Row } from '../state/fleet.js'
import { fleetFilter, search } from '../state/view.js'
import { FleetRow } from './fleet-row.js'
import { SearchIcon } from './icons.js'

const chips: { key: FleetFilter, label: string }[] = [
  { key: 'all', label: 'All' },
  { key: 'moving', label: 'Moving' },
  { key: 'attention', label: 'Attention' }
]

/** All vehicles, worst first, with chips and search. */
export function FleetPanel () {
  return (
    <section class='panel fleet' aria-labelledby='fleet-title'>
      <div class='panel-head'>
        <h2 id='fleet-title'>Fleet</h2>
        <div class='chips' role='group' aria-label='Show'>
          {chips.map(({ key, label }) => (
            <button key={key} type='button' class='chip' aria-pressed={fleetFilter.value === key} onClick={() => { fleetFilter.value = key }}>
              {label} <span class='chip-count'>{counts.value[key]}</span>
            </button>
          ))}
        </div>
      </div>
      <label class='search'>
        <SearchIcon />
        <span class='sr-only'>Search vehicles</span>
        <input id='search' type='search' placeholder='Search' autocomplete='off' value={search} onInput={(event) => { search.value = event.currentTarget.value }} />
        <kbd aria-hidden='true'>/</kbd>
      </label>
      <FleetList />
    </section>
  )
}

function FleetList () {
  if (!fleetKnown.value) return <p class='panel-note'>Waiting for the fleet…</p>
  const list = shownRows.value
  if (list.length === 0) return <p class='panel-note'>{counts.value.all === 0 ? 'No vehicle has reported yet.' : 'No vehicle matches. Clear the search or choose “All”.'}</p>
  return <Rows list={list} />
}

function Rows ({ list }: { list: Row[] }) {
  // A list that goes from under the pointer is never left by it.
  useEffect(() => () => { listHeld.value = false }, [])
  return (
    <ul class='fleet-list scroll' onPointerEnter={() => { listHeld.value = true }} onPointerLeave={() => { listHeld.value = false }}>
      {list.map((row, index) => <FleetRow key={row.id} row={row} digit={index + 1} />)}
    </ul>
  )
}
