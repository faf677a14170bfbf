import { connect, TMD, type Client, type RelayedMessage } from '../../src/client/index.js'

// Checked by `npm run typecheck`, never run: what programs written against the library rely on.

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
const typed = <Expected>() => <Actual>(_value: Actual, _same: Equal<Actual, Expected>) => {}

export async function useClient (client: Client): Promise<void> {
  client.channel('gear').on('message', ({ data }) => { typed<{ currentGear: string }>()(data, true) })
  for await (const { data, cursor, ts } of client.channel('vehicle:car-7')) {
    typed<string>()(cursor, true)
    typed<string>()(ts, true)
    typed<Record<string, string | number | boolean>>()(data.values, true)
  }
  client.channel('events').on('message', ({ data: { action, document } }) => {
    typed<'created' | 'updated' | 'deleted'>()(action, true)
    document?.createdAt satisfies string | undefined
  })
  client.channel('app:chat').on('message', ({ data }) => { typed<unknown>()(data, true) })
  client.channel<{ text: string }>('app:chat').on('message', ({ data }) => { typed<string>()(data.text, true) })
  client.channel('status').on('dropped', ({ count }) => { typed<number>()(count, true) })
  // @ts-expect-error There is no such event.
  client.channel('status').on('closed', () => {})

  const { accepted, rejected } = await client.status({ speed: 1, gear: '4', pit: true }, { vehicle: 'car-7', ts: Date.now() })
  typed<number>()(accepted, true)
  typed<string>()(rejected[0]!.code, true)
  // @ts-expect-error A signal is a number, a string or a boolean.
  await client.status({ position: { lat: 1 } })

  client.commands('car-7', async ({ name, params, state, expiresAt }) => {
    typed<string>()(name, true)
    typed<Record<string, unknown>>()(params, true)
    typed<'pending' | 'sent' | 'delivered' | 'done' | 'failed' | 'expired' | 'cancelled'>()(state, true)
    return { at: expiresAt }
  }).on('message', ({ data: { document } }) => { document?.vehicle satisfies string | undefined })
  const replay = client.channel('replay:car-7', { from: 0, to: '2026-03-01T12:00:00Z', speed: 4, paused: true })
  replay.on('message', ({ data }) => { typed<Record<string, string | number | boolean>>()(data.values, true) })
  replay.on('replay', ({ state, speed }) => {
    typed<'playing' | 'paused' | 'ended'>()(state, true)
    typed<number>()(speed, true)
  })
  typed<string>()((await client.steer({ type: 'seek', channel: 'replay:car-7', to: 0 })).position, true)
  // @ts-expect-error A replay is paused, not stopped.
  await client.steer({ type: 'stop', channel: 'replay:car-7' })

  const { cursor } = await client.publish('app:chat', { text: 'hi' }, { key: 'k' })
  typed<string>()(cursor, true)
  await client.send({ type: 'FETCH', payload: { filter: { type: 'lap' }, limit: 10 } })
  // @ts-expect-error UPDATE names what it changes.
  await client.send({ type: 'UPDATE', payload: { id: '1' } })
  await client.relay({ type: 'message', data: 1, to: client.sessionId ?? '' })
  await client.relay(TMD({ type: 'flag', message: 'yellow' }) satisfies RelayedMessage)
  await client.relay({ type: 'BROADCAST', payload: { message: 'box' } })

  client.on('state', ({ state, retryAt, code }) => {
    typed<'connecting' | 'live' | 'reconnecting' | 'offline' | 'closed'>()(state, true)
    typed<number | undefined>()(retryAt, true)
    typed<'UNAUTHORIZED' | undefined>()(code, true)
  })
  client.on('error', (error) => { typed<string>()(error.code, true) })
  connect('ws://localhost:5000/ws', { token: async () => 'token', maxQueue: 100 })
  // @ts-expect-error The token is asked for each time.
  connect('ws://localhost:5000/ws', { token: 'token' })
}
