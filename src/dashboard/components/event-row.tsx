import { describeEvent } from '../data/describe-event.js'
import { formatMoment } from '../data/format.js'
import { serverNow } from '../data/clock.js'
import type { EventDocument } from '../data/types.js'
import { freshEvents } from '../state/feed.js'
import { fleet } from '../state/fleet.js'
import { AlertIcon } from './icons.js'

const nameOf = (id: string) => fleet.vehicles.get(id)?.name ?? id

/** One event in a line; opened, all its fields. */
export function EventRow ({ event }: { event: EventDocument }) {
  const { subject, title, detail, level } = describeEvent(event, nameOf)
  return (
    <li class='event' data-level={level} data-fresh={freshEvents.has(event.id)}>
      <details>
        <summary>
          <time dateTime={new Date(event.createdAt).toISOString()}>{formatMoment(event.createdAt, serverNow())}</time>
          {level !== 'ok' && <span class='event-level'><AlertIcon critical={level === 'critical'} /><span class='sr-only'>{level}: </span></span>}
          <span class='event-text'>
            {subject !== '' && <b>{subject} </b>}
            <span class='event-title'>{title}</span>
            {detail !== '' && <span class='event-detail'>{detail}</span>}
          </span>
        </summary>
        <pre tabIndex={0}>{JSON.stringify({ id: event.id, type: event.type, ...event.fields }, null, 2)}</pre>
      </details>
    </li>
  )
}
