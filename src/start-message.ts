import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Config } from './config.js'

/** What the terminal shows once the server listens: where to look, and the admin key when it was just made. */
export function describeStart (app: FastifyInstance, config: Config, firstKey?: string): string {
  const { port } = app.server.address() as AddressInfo
  const scheme = config.tls ? 'https' : 'http'
  const host = config.host === '0.0.0.0' || config.host === '::' || config.loopback ? 'localhost' : config.host
  const lines = [
    '',
    `  Pitwall is running at ${config.publicUrl ?? `${scheme}://${host}:${port}`}`,
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
