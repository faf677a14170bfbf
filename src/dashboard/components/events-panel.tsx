import { events, eventsKnown, heldEvents } from '../state/feed.js'
import { goLive } from '../state/hold.js'
import { page } from '../state/view.js'
import { EventRow } from './event-row.js'

/** Lines beside the live view; the page of its own has them all. */
const BESIDE = 60

/** Events as they happen, newest first. */
export function EventsPanel () {
  const whole = page.value === 'events'
  const list = whole ? events.value : events.value.slice(0, BESIDE)
  return (
    <section class='panel events' aria-labelledby='events-title'>
      <div class='panel-head'>
        <h2 id='events-title'>Events</h2>
        {heldEvents.value > 0 && <button type='button' class='button quiet' onClick={goLive}>{heldEvents.value} new while paused</button>}
        {!whole && events.value.length > 0 && <button type='button' class='button quiet panel-link' onClick={() => { page.value = 'events' }}>All</button>}
      </div>
      {list.length === 0
        ? <p class='panel-note'>{eventsKnown.value ? 'Nothing has happened yet. Events appear here the moment they are stored.' : 'Waiting for events…'}</p>
        : <ol class='event-list scroll'>{list.map((event) => <EventRow key={event.id} event={event} />)}</ol>}
    </section>
  )
}
