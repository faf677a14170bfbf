import { test } from 'tap'
import { judgeOrigin } from '../../src/identity/origin.js'

const own = { protocol: 'http', host: 'pitwall.example:5000', publicUrl: 'https://pits.example/live', corsOrigins: ['https://app.example'] }

const cases: [string, Record<string, string>, 'same' | 'other' | 'unknown'][] = [
  ['its own origin', { origin: 'http://pitwall.example:5000' }, 'same'],
  ['the origin of PUBLIC_URL', { origin: 'https://pits.example' }, 'same'],
  ['an origin of CORS_ORIGIN', { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' }, 'same'],
  ['another scheme', { origin: 'https://pitwall.example:5000' }, 'other'],
  ['another port', { origin: 'http://pitwall.example' }, 'other'],
  ['another host', { origin: 'https://evil.example' }, 'other'],
  ['an opaque origin', { origin: 'null' }, 'other'],
  ['a foreign origin that claims to be the same', { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' }, 'other'],
  ['same-origin by Fetch Metadata', { 'sec-fetch-site': 'same-origin' }, 'same'],
  ['a request typed by the user', { 'sec-fetch-site': 'none' }, 'same'],
  ['same-site by Fetch Metadata', { 'sec-fetch-site': 'same-site' }, 'other'],
  ['cross-site by Fetch Metadata', { 'sec-fetch-site': 'cross-site' }, 'other'],
  ['a client that says nothing', {}, 'unknown']
]

for (const [what, headers, verdict] of cases) {
  test(`judges ${what} as ${verdict}`, async (t) => { t.equal(judgeOrigin(headers, own), verdict) })
}
