import { pino, type Logger } from 'pino'
import pretty from 'pino-pretty'
import type { Config } from './config.js'

const secretPaths = ['password', 'key', 'token', 'ticket', 'accessToken', 'refreshToken', 'authorization', 'cookie']

// Characters that move a terminal's cursor, end a line or turn text around, which JSON lets stand.
const controls = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g
const toEscape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Control characters of a line of JSON as escapes, which mean the same. */
const escapeControls = (line: string) => line.replace(controls, toEscape)

/** The same for readable lines, where escapes are resolved once more: what a client named must not colour, move or fake lines. */
const escapeForTerminal = (line: string) => line
  .replace(/\\(?:u00[01][0-9a-f]|[^])/g, (escape) => /^\\[bfru]/.test(escape) ? `\\${escape}` : escape)
  .replace(controls, (character) => `\\${toEscape(character)}`)

/** Structured logs: one JSON object a line in production, readable lines in development; secrets never. */
export function createLogger (config: Pick<Config, 'logLevel' | 'production'>): Logger {
  const options = {
    level: config.logLevel,
    redact: {
      paths: [...secretPaths, ...secretPaths.map((path) => `*.${path}`), 'req.headers.authorization', 'req.headers.cookie', 'req.headers["x-api-key"]', 'req.headers["sec-websocket-protocol"]'],
      censor: '[redacted]'
    },
    hooks: { streamWrite: config.production ? escapeControls : escapeForTerminal },
    serializers: {
      req: (request: { method?: string, url?: string, ip?: string }) => ({ method: request.method, url: request.url, address: request.ip })
    }
  }
  if (config.production) return pino(options)
  return pino(options, pretty({ sync: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l', singleLine: true }))
}
