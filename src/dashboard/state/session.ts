import { followAlerts } from './alerts.js'
import { openConnection, reportFailure } from './connection.js'
import { followEvents } from './feed.js'
import { followFleet } from './fleet.js'
import { followFocus } from './focus.js'
import { signIn, signOut } from '../data/rest.js'

/** Connects and subscribes to all the page shows. */
export function startSession (): void {
  openConnection((client) => {
    followFleet(client)
    followEvents(client)
    followAlerts(client)
    followFocus(client)
  })
}

/** Signs in and connects as that person. @throws RequestError with the server's words */
export async function enter (email: string, password: string): Promise<void> {
  await signIn(email, password)
  startSession()
}

/** Signs out; the page is loaded anew, since its cookie is gone and with it what may be shown. */
export function leave (): void {
  signOut().then(() => location.assign('/'), reportFailure)
}
