import { clearedAlerts, openAlerts } from '../state/alerts.js'
import { events, eventsKnown, heldEvents } from '../state/feed.js'
import { goLive } from '../state/hold.js'
import { page } from '../state/view.js'
import { AlertRow } from './alert-row.js'
import { EventRow } from './event-row.js'

/** Lines beside the live view; the page of its own has them all. */
const BESIDE = 60

/** What wants attention, then events and alerts that are over, newest first. */
export function EventsPanel () {
  const whole = page.value === 'events'
  const past = [
    ...events.value.map((event) => ({ at: event.createdAt, row: <EventRow key={event.id} event={event} /> })),
    ...clearedAlerts.value.map((alert) => ({ at: alert.openedAt, row: <AlertRow key={alert.id} alert={alert} /> }))
  ].sort((a, b) => b.at - a.at)
  const list = whole ? past : past.slice(0, BESIDE)
  const open = openAlerts.value
  return (
    <section class='panel events' aria-labelledby='events-title'>
      <div class='panel-head'>
        <h2 id='events-title'>Events</h2>
        {heldEvents.value > 0 && <button type='button' class='button quiet' onClick={goLive}>{heldEvents.value} new while paused</button>}
        {!whole && events.value.length > 0 && <button type='button' class='button quiet panel-link' onClick={() => { page.value = 'events' }}>All</button>}
      </div>
      <div class='event-scroll scroll'>
        {open.length > 0 && <ol class='event-list alert-list' aria-label='Open alerts'>{open.map((alert) => <AlertRow key={alert.id} alert={alert} />)}</ol>}
        {list.length === 0
          ? <p class='panel-note'>{eventsKnown.value ? 'Nothing has happened yet. Events appear here the moment they are stored.' : 'Waiting for events…'}</p>
          : <ol class='event-list'>{list.map(({ row }) => row)}</ol>}
      </div>
    </section>
  )
}
