import { once } from 'node:events'
import { WebSocket } from 'ws'

/** Run of the client that both servers get: sockets that keep a window of samples unacknowledged. */
export interface ClientRun { url: string, key: string, samples: number, sockets: number, window: number, vehicles: number, from: number }

/**
 * Sends status messages and waits for their acks.
 * @returns seconds from the first sample to the last ack
 */
async function drive ({ url, key, samples, sockets, window, vehicles, from }: ClientRun): Promise<number> {
  const connections = await Promise.all(Array.from({ length: sockets }, async () => {
    const socket = new WebSocket(url, ['pitwall.v1', key])
    await once(socket, 'open')
    return socket
  }))
  const start = performance.now()
  let sent = 0
  let acked = 0
  await new Promise<void>((resolve, reject) => {
    for (const socket of connections) {
      const send = () => {
        if (sent >= samples) return
        const index = sent++
        socket.send(JSON.stringify({
          id: String(index),
          type: 'status',
          vehicle: `car-${index % vehicles}`,
          ts: from + index,
          values: { speed: index % 300, motorRPM: index % 9000, batteryPercentage: index % 100, gear: String(index % 6), motorTemperature: 60 + index % 50, odometer: index }
        }))
      }
      socket.on('message', (raw: Buffer) => {
        const message = JSON.parse(raw.toString()) as { type: string, accepted?: number }
        if (message.type === 'error' || (message.type === 'ack' && message.accepted !== 1)) reject(new Error(raw.toString()))
        if (message.type !== 'ack') return
        if (++acked === samples) resolve()
        send()
      })
      for (let index = 0; index < window; index++) send()
    }
  })
  const seconds = (performance.now() - start) / 1000
  for (const socket of connections) socket.terminate()
  return seconds
}

const seconds = await drive(JSON.parse(process.argv[2] ?? '{}') as ClientRun)
process.stdout.write(JSON.stringify({ seconds }))
