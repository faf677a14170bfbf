import { connection, signalsVersion } from '../state/connection.js'
import { fleetKnown, rows } from '../state/fleet.js'
import { narrow } from '../state/media.js'
import { page, paused } from '../state/view.js'
import { Announcer } from './announcer.js'
import { ChartPanel } from './chart-panel.js'
import { ConnectionBanner } from './connection-banner.js'
import { EventsPanel } from './events-panel.js'
import { FirstRun } from './first-run.js'
import { FleetPanel } from './fleet-panel.js'
import { FleetSheet } from './fleet-sheet.js'
import { FocusCard } from './focus-card.js'
import { Header } from './header.js'
import { HelpDialog } from './help-dialog.js'
import { LatencyDialog } from './latency-dialog.js'
import { ForbiddenPage, SignInDialog, SignInPage } from './sign-in.js'

/** The whole page. */
export function App () {
  const { phase } = connection.value
  return (
    <div class='page' data-phase={phase} data-paused={paused} data-page={page}>
      <Header />
      <ConnectionBanner />
      {phase === 'signed-out' ? <SignInPage /> : phase === 'forbidden' ? <ForbiddenPage /> : <Main key={signalsVersion.value} />}
      <HelpDialog />
      <LatencyDialog />
      <SignInDialog />
      <Announcer />
    </div>
  )
}

function Main () {
  if (page.value === 'events') return <main class='layout events-layout'><EventsPanel /></main>
  const empty = fleetKnown.value && rows.value.length === 0
  if (narrow.value) {
    return (
      <>
        <main class='layout column'>
          {empty ? <FirstRun /> : <><FocusCard /><ChartPanel /></>}
          <EventsPanel />
        </main>
        <FleetSheet />
      </>
    )
  }
  return (
    <main class='layout'>
      <div class='side'><FleetPanel /><EventsPanel /></div>
      <div class='stage'>{empty ? <FirstRun /> : <><FocusCard /><ChartPanel /></>}</div>
    </main>
  )
}
