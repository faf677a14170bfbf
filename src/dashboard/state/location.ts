import { batch, effect } from '@preact/signals'
import {
  chosenVehicle, cursorTime, fleetFilter, formatView, kiosk, page, parseView, pausedAt, search, windowKey, type ViewState
} from './view.js'

function readLocation (): void {
  const view = parseView(location.search)
  batch(() => {
    page.value = view.page
    chosenVehicle.value = view.vehicle
    windowKey.value = view.window
    fleetFilter.value = view.filter
    search.value = view.search
    kiosk.value = view.kiosk
    pausedAt.value = view.at
    cursorTime.value = null
  })
}

const currentView = (): ViewState => ({
  page: page.value,
  vehicle: chosenVehicle.value,
  window: windowKey.value,
  filter: fleetFilter.value,
  search: search.value,
  kiosk: kiosk.value,
  at: pausedAt.value
})

/** Keeps the address and the view the same. A new page or vehicle is a step to go back to; the rest replaces. */
export function followLocation (): void {
  readLocation()
  let place = `${page.peek()}\n${chosenVehicle.peek()}`
  addEventListener('popstate', () => {
    readLocation()
    place = `${page.peek()}\n${chosenVehicle.peek()}`
  })
  effect(() => {
    const view = currentView()
    const query = formatView(view)
    if (query === formatView(parseView(location.search))) return
    const next = `${view.page}\n${view.vehicle}`
    const url = location.pathname + query + location.hash
    if (next !== place) history.pushState(null, '', url)
    else history.replaceState(null, '', url)
    place = next
  })
}
