import { batch, computed } from '@preact/signals'
import { matchesFilter } from '../data/assess.js'
import { focusId } from './focus.js'
import { rows } from './fleet.js'
import { chosenVehicle, fleetFilter, fleetOpen, page, search } from './view.js'

/** Rows that pass the chips and the search, worst first. */
export const shownRows = computed(() => {
  const words = search.value.trim().toLowerCase()
  const filter = fleetFilter.value
  return rows.value.filter((row) =>
    (filter === 'all' || matchesFilter(row.condition.value, filter)) &&
    (words === '' || row.name.value.toLowerCase().includes(words) || row.id.toLowerCase().includes(words)))
})

/** Puts a vehicle into focus. */
export function chooseVehicle (id: string): void {
  batch(() => {
    chosenVehicle.value = id
    page.value = 'live'
    fleetOpen.value = false
  })
}

/** The row a digit key stands for, from 1. */
export function chooseByDigit (digit: number): void {
  const row = shownRows.peek()[digit - 1]
  if (row) chooseVehicle(row.id)
}

/** The next or previous row of the list. */
export function chooseNeighbour (step: 1 | -1): void {
  const list = shownRows.peek()
  const place = list.findIndex((row) => row.id === focusId.peek())
  const row = list[place < 0 ? 0 : place + step]
  if (row) chooseVehicle(row.id)
}
