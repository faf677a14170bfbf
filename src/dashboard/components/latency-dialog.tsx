import { clockError, clockOffset } from '../data/clock.js'
import { latency } from '../state/connection.js'
import { focusId } from '../state/focus.js'
import { latencyOpen, screenLatency } from '../state/latency.js'
import { formatMilliseconds } from '../data/format.js'
import { Modal } from './modal.js'

/** How late the screen is, and what that is made of. */
export function LatencyDialog () {
  return <Modal open={latencyOpen} title='How late the screen is'><Figures /></Modal>
}

function Figures () {
  const measured = screenLatency.value
  const roundTrip = latency.value
  return (
    <>
      <dl class='keys latency-figures'>
        <Figure name='Sensor to screen, median' value={measured ? formatMilliseconds(measured.median) : 'not measured'} />
        <Figure name='99 of 100 within' value={measured ? formatMilliseconds(measured.high) : 'not measured'} />
        <Figure name='Samples counted' value={measured ? `${measured.count} of ${focusId.value ?? ''}` : '–'} />
        <Figure name='To the server and back' value={roundTrip === null ? '–' : formatMilliseconds(roundTrip)} />
        <Figure name='Server’s clock' value={describeClock()} />
      </dl>
      <p class='panel-note'>{describeMeasure(measured?.clockAhead)}</p>
    </>
  )
}

const Figure = ({ name, value }: { name: string, value: string }) => <div><dt>{name}</dt><dd>{value}</dd></div>

function describeClock (): string {
  const error = clockError()
  if (!Number.isFinite(error)) return 'not known yet'
  const offset = clockOffset()
  const sure = `± ${formatMilliseconds(error)}`
  return offset === 0 ? `as this one’s, ${sure}` : `${formatMilliseconds(Math.abs(offset))} ${offset > 0 ? 'ahead' : 'behind'}, ${sure}`
}

function describeMeasure (clockAhead: boolean | undefined): string {
  if (clockAhead === undefined) return 'The vehicle in focus sends no time of sending (sentAt), so only the way between this page and the server is known.'
  const how = 'From the moment the sensor says it sent a sample until the frame that shows it is on screen; right as far as the sensor’s clock is.'
  return clockAhead ? `${how} It is ahead of the server’s: some of these times are too short.` : how
}
