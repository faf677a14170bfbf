import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Config } from './config.js'

/** The address users open: `PUBLIC_URL`, or where the server listens. */
export function publicAddress (app: FastifyInstance, config: Config): string {
  if (config.publicUrl !== undefined) return config.publicUrl
  const address = app.server.address() as AddressInfo | null
  const host = config.host === '0.0.0.0' || config.host === '::' || config.loopback ? 'localhost' : config.host
  return `${config.tls ? 'https' : 'http'}://${host}:${address?.port ?? config.port}`
}

/** What the terminal shows once the server listens: where to look, and the admin key when it was just made. */
export function describeStart (app: FastifyInstance, config: Config, firstKey?: string): string {
  const lines = [
    '',
    `  Pitwall is running at ${publicAddress(app, config)}`,
    `  Data: ${config.mongodbUri ? 'MongoDB at MONGODB_URI' : config.dataDir}`
  ]
  if (config.simulate > 0) lines.push(`  ${config.simulate} simulated vehicles are driving; SIMULATE=0 turns them off`)
  if (!config.loopback && !config.tls && config.trustProxy === false) {
    lines.push('  Served over plain HTTP: passwords and keys cross the network unencrypted; see TLS_CERT and TLS_KEY')
  }
  if (firstKey) {
    lines.push('', '  Admin key, shown this once:', `  ${firstKey}`)
  }
  return lines.join('\n') + '\n\n'
}
