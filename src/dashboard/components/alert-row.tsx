import { describeAlert, type AlertItem } from '../data/alerts.js'
import { serverNow } from '../data/clock.js'
import { formatMoment } from '../data/format.js'
import { acknowledge, refusals, vehicleName } from '../state/alerts.js'
import { viewer } from '../state/connection.js'
import { AlertIcon, CheckIcon } from './icons.js'

/** One alert in a line, to be acknowledged by those who may. */
export function AlertRow ({ alert }: { alert: AlertItem }) {
  const { title, detail } = describeAlert(alert)
  const subject = vehicleName(alert.vehicle)
  const refusal = refusals.value[alert.id]
  return (
    <li class='event alert' data-level={alert.level} data-state={alert.state}>
      <div class='event-line'>
        <time dateTime={new Date(alert.openedAt).toISOString()}>{formatMoment(alert.openedAt, serverNow())}</time>
        <span class='event-level'>
          {alert.state === 'cleared' ? <CheckIcon /> : <AlertIcon critical={alert.level === 'critical'} />}
          <span class='sr-only'>{alert.state === 'cleared' ? 'cleared ' : ''}{alert.level}: </span>
        </span>
        <span class='event-text'>
          <b>{subject} </b>
          <span class='event-title'>{title}</span>
          {detail !== '' && <span class='event-detail'>{detail}</span>}
          {refusal !== undefined && <span class='event-detail alert-refusal' role='alert'>{refusal}</span>}
        </span>
        {alert.state === 'open' && viewer.value?.mayOperate === true && (
          <button type='button' class='button quiet alert-ack' aria-label={`Acknowledge ${subject}: ${title}`} onClick={() => { acknowledge(alert.id) }}>Ack</button>
        )}
      </div>
    </li>
  )
}
