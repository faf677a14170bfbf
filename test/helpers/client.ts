import type { Test } from 'tap'
import { WebSocket } from 'ws'
import { connect, type Client, type ClientState, type ConnectOptions, type StateChange } from '../../src/client/index.js'

/** The client library on a server's address, closed after the test. */
export function openClient (t: Test, url: string, options: ConnectOptions = {}): Client {
  const client = connect(url, { key: 'key', WebSocket, ...options })
  t.teardown(() => client.close())
  return client
}

/** Resolves when the client comes to a state, with what it tells then. */
export const reached = (client: Client, state: ClientState): Promise<StateChange> => new Promise((resolve) => {
  const off = client.on('state', (change) => {
    if (change.state !== state) return
    off()
    resolve(change)
  })
})
