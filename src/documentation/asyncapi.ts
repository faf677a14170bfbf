import type { TSchema } from 'typebox'
import { cookieNames } from '../identity/request-credentials.js'
import type { ChannelSource } from '../realtime/broker.js'
import { closeCodes } from '../realtime/connection.js'
import { outboxLimits } from '../realtime/outbox.js'
import { channelData } from '../schemas/channel-data.js'
import { channelNames, channelPrefixes, messageTypes } from '../schemas/reserved-types.js'
import { describeDialects } from './describe-dialects.js'
import { describeChannels } from './describe-channels.js'
import { nameOfChannel } from './channel-messages.js'

export interface AsyncApiOptions {
  /** Pitwall's version. */
  version: string
  /** The address users open, `https://pitwall.example`. */
  url: string
  /** `SOCKET_PATH`. */
  socketPath: string
  /** Limits as they are set; 0 for none. */
  limits: {
    /** Bytes a message of a client may have. */
    frameBytes: number
    /** Messages a second a client may send. */
    messagesPerSecond: number
    /** New sockets a second, and sockets at once. */
    upgradesPerSecond: number
    connections: number
  }
  /** Where the running server has the channels' state and past from. */
  sources: ReadonlyMap<string, ChannelSource>
}

// What the WebSocket library closes with when a message is larger than FRAME_LIMIT (RFC 6455, 7.4.1).
const TOO_BIG = 1009

const description = `Live telemetry and event hub: the WebSocket API. Messages are JSON objects in text frames.

Two dialects share one address. A client that offers only its key as subprotocol is a *plain* client: it gets what its scopes allow of the channels marked for plain clients in \`x-channels\`, without asking. One that offers \`pitwall.v1\` gets what it subscribes to and nothing else; where it offers \`pitwall.v1+batch\` as well, frames may be arrays of messages, in both directions.

An \`id\` (string) sent along comes back on the reply, be it the answer or an \`error\`.`

/**
 * The WebSocket contract as an AsyncAPI 3.0 document
 * (https://www.asyncapi.com/docs/reference/specification/v3.0.0), made of the schemas,
 * channels, close codes and limits that the server itself uses.
 */
export function buildAsyncApi ({ version, url, socketPath, limits, sources }: AsyncApiOptions) {
  const { host, protocol } = new URL(url)
  const { channels, operations, messages } = describeDialects(socketPath)
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Pitwall',
      version,
      description,
      license: { name: 'MIT' },
      externalDocs: { description: 'The REST API', url: new URL('/docs', url).href }
    },
    defaultContentType: 'application/json',
    servers: {
      pitwall: {
        host,
        protocol: protocol === 'https:' ? 'wss' : 'ws',
        description: 'Without a valid credential the upgrade is refused with 401, from a page of an origin that is not allowed with 403, while the server is full or shuts down with 503.',
        security: Object.keys(securitySchemes).map((name) => ({ $ref: `#/components/securitySchemes/${name}` }))
      }
    },
    channels,
    operations,
    components: { messages, schemas: describeSnapshots(sources), securitySchemes },
    'x-channels': describeChannels(sources),
    'x-reserved-types': { names: [...new Set([...channelNames, ...messageTypes])], prefixes: channelPrefixes },
    'x-close-codes': Object.fromEntries(Object.entries({ ...closeCodes, tooBig: TOO_BIG }).map(([reason, code]) => [code, reason])),
    'x-limits': { ...limits, waitingBytesUntilFolded: outboxLimits.soft, waitingBytesUntilClosed: outboxLimits.hard }
  }
}

export type AsyncApiDocument = ReturnType<typeof buildAsyncApi>

/** Schemas of what a new subscriber gets, of the channels that have a state. */
function describeSnapshots (sources: ReadonlyMap<string, ChannelSource>): Record<string, TSchema> {
  const names = [...sources].filter(([, source]) => source.snapshot).map(([name]) => name)
  return Object.fromEntries(names.map((name) => {
    const schema = channelData[name]?.snapshot
    if (!schema) throw new Error(`The channel ${name} has no schema of its snapshot`)
    return [`${nameOfChannel(name)}Snapshot`, schema]
  }))
}

const securitySchemes = {
  subprotocol: {
    type: 'httpApiKey',
    in: 'header',
    name: 'Sec-WebSocket-Protocol',
    description: 'An API key, an access token or a one-time ticket (POST /api/connections) as a subprotocol, the one way open to browsers: new WebSocket(url, [KEY]) is answered with the key, new WebSocket(url, ["pitwall.v1", KEY]) with pitwall.v1'
  },
  apiKey: { type: 'httpApiKey', in: 'header', name: 'X-API-Key', description: 'An API key' },
  bearer: { type: 'http', scheme: 'bearer', description: 'An API key or access token in Authorization' },
  session: { type: 'httpApiKey', in: 'cookie', name: cookieNames.session, description: 'The session of somebody who signed in with a browser' },
  visitor: { type: 'httpApiKey', in: 'cookie', name: cookieNames.visitor, description: 'Of a page opened without signing in, where DASHBOARD_ACCESS is public-read: may read the channels marked visitors' }
} as const
