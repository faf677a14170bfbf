import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { announcement, openAlerts } from '../state/alerts.js'
import { connection } from '../state/connection.js'
import { rows, type FleetRow } from '../state/fleet.js'

/** Shortest time between two polite summaries, milliseconds. */
const SUMMARY_EVERY = 15_000

/** Tells assistive technology what the screen shows: a summary now and then, at once only new critical alerts. */
export function Announcer () {
  const summary = useSignal('')
  useEffect(() => {
    const timer = setInterval(() => { summary.value = summariseFleet(rows.peek()) }, SUMMARY_EVERY)
    return () => clearInterval(timer)
  }, [])
  const { phase } = connection.value
  return (
    <>
      <div class='sr-only' role='status'>{summary}</div>
      <div class='sr-only' role='status'>{phase === 'live' ? 'Connected' : phase === 'connecting' ? '' : `Connection: ${phase.replace('-', ' ')}`}</div>
      <div class='sr-only' role='alert'>{announcement}</div>
    </>
  )
}

function summariseFleet (list: FleetRow[]): string {
  const moving = list.filter((row) => row.condition.peek() === 'moving').length
  const wanting = list.filter((row) => row.condition.peek() === 'critical' || row.condition.peek() === 'warning')
  const reasons = wanting.slice(0, 3).map((row) => `${row.name.peek()}, ${row.reason.peek()}`).join('; ')
  const alerts = openAlerts.peek().length
  return `${list.length} vehicles, ${moving} moving, ${wanting.length} need attention${reasons ? `: ${reasons}` : ''}. ${alerts === 1 ? '1 open alert' : `${alerts} open alerts`}.`
}
