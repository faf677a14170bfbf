import { pino, type Logger } from 'pino'
import pretty from 'pino-pretty'
import type { Config } from './config.js'

const secretPaths = ['password', 'key', 'token', 'ticket', 'accessToken', 'refreshToken', 'authorization', 'cookie']

/** Structured logs: one JSON object a line in production, readable lines in development; secrets never. */
export function createLogger (config: Pick<Config, 'logLevel' | 'production'>): Logger {
  const options = {
    level: config.logLevel,
    redact: {
      paths: [...secretPaths, ...secretPaths.map((path) => `*.${path}`), 'req.headers.authorization', 'req.headers.cookie', 'req.headers["x-api-key"]', 'req.headers["sec-websocket-protocol"]'],
      censor: '[redacted]'
    },
    serializers: {
      req: (request: { method?: string, url?: string, ip?: string }) => ({ method: request.method, url: request.url, address: request.ip })
    }
  }
  if (config.production) return pino(options)
  return pino(options, pretty({ sync: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l', singleLine: true }))
}
