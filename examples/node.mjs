// A program that sends a car's samples and follows them: node examples/node.mjs
// Settings: PITWALL_URL (ws://localhost:5000/ws), PITWALL_KEY (scopes read and ingest), VEHICLE (car-7).
import WebSocket from 'ws' // Node 22 and later have their own
import { connect } from 'pitwall/client'

const { PITWALL_URL = 'ws://localhost:5000/ws', PITWALL_KEY, VEHICLE = 'car-7' } = process.env
const client = connect(PITWALL_URL, { key: PITWALL_KEY, WebSocket })

client.on('state', ({ state, reason = '' }) => console.log(state, reason))
client.on('error', (error) => {
  console.error(`${error.code}: ${error.message}`)
  if (error.code === 'UNAUTHORIZED') stop()
  process.exitCode = 1
})

// Each sample is stored before this resolves; one that was on its way when the network broke is sent again.
let speed = 80
const sending = setInterval(() => {
  speed += Math.round(Math.random() * 10 - 5)
  client.status({ speed, gear: speed > 100 ? '5' : '4' }, { vehicle: VEHICLE })
    .catch((error) => console.error(`not stored: ${error.code}`))
}, 200)

// After a reconnect the messages go on where they were.
const samples = client.channel(`vehicle:${VEHICLE}`)
samples.on('recovered', ({ recovered }) => { if (!recovered) console.log('some samples may be missing') })

const stop = () => {
  clearInterval(sending)
  client.close()
}
process.once('SIGINT', stop)
process.once('SIGTERM', stop)

try {
  for await (const { ts, data } of samples) console.log(ts, data.values)
} catch (error) {
  if (error.code !== 'CLOSED') throw error
}
