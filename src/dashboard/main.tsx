import { render } from 'preact'
import 'uplot/dist/uPlot.min.css'
import './styles/tokens.css'
import './styles/base.css'
import './styles/layout.css'
import './styles/fleet.css'
import './styles/focus.css'
import './styles/charts.css'
import './styles/events.css'
import './styles/dialogs.css'
import { App } from './components/app.js'
import { paintAlerts } from './state/alerts.js'
import { watchTraffic } from './state/connection.js'
import { paintEvents } from './state/feed.js'
import { paintFleet } from './state/fleet.js'
import { paintFocus } from './state/focus.js'
import { addPainter } from './state/frame-loop.js'
import { listenToKeys } from './state/keyboard.js'
import { paintLatency } from './state/latency.js'
import { followLocation } from './state/location.js'
import { startSession } from './state/session.js'

followLocation()
startSession()
watchTraffic()
listenToKeys()
addPainter({
  paint (now) {
    paintLatency(now)
    paintFleet(now)
    paintFocus(now)
    paintAlerts()
    paintEvents()
  }
})
const root = document.getElementById('app')
if (root) render(<App />, root)
