// A device on a bad network: it measures all the time, keeps what it could not send in a file,
// and sends it when it can. Each sample arrives once, however often it was sent, because its
// time was given when it was measured: node examples/flaky-device.mjs
// Settings: PITWALL_URL (http://localhost:5000), PITWALL_KEY (scope ingest), VEHICLE (car-7),
// BUFFER (samples.ndjson), COUNT (samples to measure; none: for ever).
import { appendFile, readFile, rename, rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

const { PITWALL_URL = 'http://localhost:5000', PITWALL_KEY, VEHICLE = 'car-7', BUFFER = 'samples.ndjson' } = process.env
const count = Number(process.env.COUNT ?? Infinity)
const sending = `${BUFFER}.sending`
const isMissing = (error) => error.code === 'ENOENT'
let measuring = true

/** Sends the oldest samples; what is in the file goes only when the server has stored it. */
async function sendBuffer () {
  let text = await readFile(sending, 'utf8').catch((error) => { if (!isMissing(error)) throw error })
  if (text === undefined) {
    try {
      await rename(BUFFER, sending)
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
    text = await readFile(sending, 'utf8')
  }
  // A power cut may have left half a line.
  const samples = text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line)]
    } catch {
      return []
    }
  })
  // At most 10,000 samples a request.
  for (let start = 0; start < samples.length; start += 10_000) {
    const reply = await fetch(`${PITWALL_URL}/api/vehicles/${encodeURIComponent(VEHICLE)}/telemetry`, {
      method: 'POST',
      headers: { 'x-api-key': PITWALL_KEY, 'content-type': 'application/json' },
      body: JSON.stringify(samples.slice(start, start + 10_000)),
      signal: AbortSignal.timeout(10_000)
    })
    if (reply.status === 429 || reply.status >= 500) throw new Error(`the server is busy: ${reply.status}`)
    const body = await reply.json()
    if (!reply.ok) console.error(`refused: ${body.detail}`)
    else console.log(`sent ${body.data.accepted} samples, ${body.data.duplicates} of them again`)
  }
  await rm(sending)
  return true
}

async function keepSending () {
  for (let failures = 0; ;) {
    try {
      const sent = await sendBuffer()
      failures = 0
      if (!sent && !measuring) return
      if (!sent) await delay(200)
    } catch (error) {
      // Full jitter, so that a fleet which lost its network does not come back all at once.
      const wait = Math.random() * Math.min(30_000, 200 * 2 ** failures++)
      console.error(`${error.cause?.code ?? error.message}; again in ${Math.round(wait)} ms`)
      await delay(wait)
    }
  }
}

async function measure () {
  for (let n = 0; n < count; n++) {
    const sample = { ts: Date.now(), values: { n, speed: 80 + Math.round(20 * Math.sin(n / 10)) } }
    await appendFile(BUFFER, `${JSON.stringify(sample)}\n`)
    await delay(20)
  }
  measuring = false
}

await Promise.all([measure(), keepSending()])
