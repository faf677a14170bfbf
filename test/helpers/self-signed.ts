import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

/** A DER value: its tag, its length, its content (ITU-T X.690). */
function der (tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content)
  const length = body.length < 128 ? [body.length] : body.length < 256 ? [0x81, body.length] : [0x82, body.length >> 8, body.length & 255]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}

const sequence = (...content: Buffer[]) => der(0x30, ...content)
const identifier = (hex: string) => der(0x06, Buffer.from(hex, 'hex'))
const utcTime = (date: Date) => der(0x17, Buffer.from(date.toISOString().replace(/[-:T]/g, '').slice(2, 14) + 'Z'))

/** Object identifiers: ecdsa-with-SHA256, commonName, subjectAltName, basicConstraints. */
const [ecdsaSha256, commonName, altName, constraints] = ['2a8648ce3d040302', '550403', '551d11', '551d13'].map(identifier) as [Buffer, Buffer, Buffer, Buffer]

/** A certificate for localhost and 127.0.0.1 that signs itself (RFC 5280), and its key, both PEM, good for a day. */
export function makeCertificate (): { cert: string, key: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const name = sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from('localhost')))))
  const hour = 3_600_000
  const names = sequence(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])))
  const extensions = sequence(
    sequence(altName, der(0x04, names)),
    sequence(constraints, der(0x01, Buffer.from([0xff])), der(0x04, sequence(der(0x01, Buffer.from([0xff])))))
  )
  const toSign = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    sequence(ecdsaSha256),
    name,
    sequence(utcTime(new Date(Date.now() - hour)), utcTime(new Date(Date.now() + 24 * hour))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions)
  )
  const certificate = sequence(toSign, sequence(ecdsaSha256), der(0x03, Buffer.from([0]), sign('sha256', toSign, privateKey)))
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return {
    cert: ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  }
}
