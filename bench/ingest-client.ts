import { openRaw, textFrame } from './raw-sockets.js'

/** Run of the client that both servers get: vehicles with a socket each, which keep a window of samples unacknowledged. */
export interface ClientRun { port: number, key: string, samples: number, vehicles: number, window: number, from: number }

/**
 * Sends status messages and waits for their acks. Their frames are made before the clock
 * starts, and what a socket owes after reading goes out in one write, so that the client
 * takes as little of the machine as it can.
 * @returns seconds from the first sample to the last ack
 */
async function drive ({ port, key, samples, window, vehicles, from }: ClientRun): Promise<number> {
  const frames: Buffer[][] = Array.from({ length: vehicles }, () => [])
  for (let index = 0; index < samples; index++) {
    frames[index % vehicles]?.push(textFrame(JSON.stringify({
      id: String(index),
      type: 'status',
      vehicle: `car-${index % vehicles}`,
      ts: from + index,
      values: { speed: index % 300, motorRPM: index % 9000, batteryPercentage: index % 100, gear: String(index % 6), motorTemperature: 60 + index % 50, odometer: index }
    })))
  }
  let acked = 0
  let finish: (error?: Error) => void = () => {}
  const finished = new Promise<void>((resolve, reject) => { finish = (error) => { if (error) reject(error); else resolve() } })
  const connections = await Promise.all(frames.map(async (own) => {
    let sent = 0
    let owed = 0
    const pay = () => {
      const due = own.slice(sent, sent + owed)
      sent += due.length
      owed = 0
      if (due.length > 0) socket.write(Buffer.concat(due))
    }
    const owe = (count: number) => {
      if (owed === 0) queueMicrotask(pay)
      owed += count
    }
    const socket = await openRaw(port, { path: '/ws', protocol: `pitwall.v1, ${key}` }, (bytes, start, end) => {
      const text = bytes.toString('latin1', start, end)
      if (text.startsWith('{"type":"error"') || (text.startsWith('{"type":"ack"') && !text.includes('"accepted":1'))) finish(new Error(text))
      if (!text.startsWith('{"type":"ack"')) return
      if (++acked === samples) finish()
      owe(1)
    })
    return { socket, owe }
  }))
  const start = performance.now()
  for (const { owe } of connections) owe(window)
  await finished
  const seconds = (performance.now() - start) / 1000
  for (const { socket } of connections) socket.destroy()
  return seconds
}

const seconds = await drive(JSON.parse(process.argv[2] ?? '{}') as ClientRun)
process.stdout.write(JSON.stringify({ seconds }))
