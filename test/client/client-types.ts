import { connect, TMD, type Client, type RelayedMessage } from '../../src/client/index.js'

// Checked by `npm run typecheck`, never run: what programs written against the library rely on.

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
const same = <A, B>(_same: Equal<A, B>) => {}

export async function useClient (client: Client): Promise<void> {
  client.channel('gear').on('message', ({ data }) => { same<typeof data, { currentGear: string }>(true) })
  for await (const { data, cursor, ts } of client.channel('vehicle:car-7')) {
    same<typeof cursor, string>(true)
    same<typeof ts, string>(true)
    same<typeof data.values, Record<string, string | number | boolean>>(true)
  }
  client.channel('events').on('message', ({ data: { action, document } }) => {
    same<typeof action, 'created' | 'updated' | 'deleted'>(true)
    document?.createdAt satisfies string | undefined
  })
  client.channel('app:chat').on('message', ({ data }) => { same<typeof data, unknown>(true) })
  client.channel<{ text: string }>('app:chat').on('message', ({ data }) => { same<typeof data.text, string>(true) })
  client.channel('status').on('dropped', ({ count }) => { same<typeof count, number>(true) })
  // @ts-expect-error There is no such event.
  client.channel('status').on('closed', () => {})

  const { accepted, rejected } = await client.status({ speed: 1, gear: '4', pit: true }, { vehicle: 'car-7', ts: Date.now() })
  same<typeof accepted, number>(true)
  same<typeof rejected[number]['code'], string>(true)
  // @ts-expect-error A signal is a number, a string or a boolean.
  await client.status({ position: { lat: 1 } })

  const { cursor } = await client.publish('app:chat', { text: 'hi' }, { key: 'k' })
  same<typeof cursor, string>(true)
  await client.send({ type: 'FETCH', payload: { filter: { type: 'lap' }, limit: 10 } })
  // @ts-expect-error UPDATE names what it changes.
  await client.send({ type: 'UPDATE', payload: { id: '1' } })
  await client.relay({ type: 'message', data: 1, to: client.sessionId ?? '' })
  await client.relay(TMD({ type: 'flag', message: 'yellow' }) satisfies RelayedMessage)
  await client.relay({ type: 'BROADCAST', payload: { message: 'box' } })

  client.on('state', ({ state, retryAt, code }) => {
    same<typeof state, 'connecting' | 'live' | 'reconnecting' | 'offline' | 'closed'>(true)
    same<typeof retryAt, number | undefined>(true)
    same<typeof code, 'UNAUTHORIZED' | undefined>(true)
  })
  client.on('error', (error) => { same<typeof error.code, string>(true) })
  connect('ws://localhost:5000/ws', { token: async () => 'token', maxQueue: 100 })
  // @ts-expect-error The token is asked for each time.
  connect('ws://localhost:5000/ws', { token: 'token' })
}
