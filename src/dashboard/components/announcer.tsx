import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { connection } from '../state/connection.js'
import { rows, type FleetRow } from '../state/fleet.js'

/** Shortest time between two polite summaries, milliseconds. */
const SUMMARY_EVERY = 15_000

/** Tells assistive technology what the screen shows: a summary now and then, at once only what is newly critical. */
export function Announcer () {
  const summary = useSignal('')
  const alarm = useSignal('')
  useEffect(() => {
    let known = new Set<string>()
    let first = true
    let told = 0
    const timer = setInterval(() => {
      const critical = rows.peek().filter((row) => row.condition.peek() === 'critical')
      const fresh = first ? [] : critical.filter((row) => !known.has(row.id))
      first = rows.peek().length === 0
      known = new Set(critical.map((row) => row.id))
      if (fresh.length > 0) alarm.value = fresh.map((row) => `${row.name.peek()} critical: ${row.reason.peek()}`).join('. ')
      if (Date.now() - told >= SUMMARY_EVERY) {
        told = Date.now()
        summary.value = summariseFleet(rows.peek())
      }
    }, 1000)
    return () => clearInterval(timer)
  }, [])
  const { phase } = connection.value
  return (
    <>
      <div class='sr-only' role='status'>{summary}</div>
      <div class='sr-only' role='status'>{phase === 'live' ? 'Connected' : phase === 'connecting' ? '' : `Connection: ${phase.replace('-', ' ')}`}</div>
      <div class='sr-only' role='alert'>{alarm}</div>
    </>
  )
}

function summariseFleet (list: FleetRow[]): string {
  const moving = list.filter((row) => row.condition.peek() === 'moving').length
  const wanting = list.filter((row) => row.condition.peek() === 'critical' || row.condition.peek() === 'warning')
  const reasons = wanting.slice(0, 3).map((row) => `${row.name.peek()}, ${row.reason.peek()}`).join('; ')
  return `${list.length} vehicles, ${moving} moving, ${wanting.length} need attention${reasons ? `: ${reasons}` : ''}.`
}
