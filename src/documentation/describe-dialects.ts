import { describeDataMessages, describePlainMessages } from './channel-messages.js'
import { everyClientMessages, pitwallV1Messages } from './client-messages.js'
import type { ClientMessage, DocumentedMessage } from './documented-message.js'
import { everyClientPushes, everyClientReplies, pitwallV1Pushes, pitwallV1Replies, plainPushes } from './server-messages.js'

type Messages<T extends DocumentedMessage = DocumentedMessage> = Record<string, T>

interface Dialect {
  /** Key of the AsyncAPI channel. */
  name: 'plain' | 'pitwallV1'
  title: string
  description: string
  /** What must be offered as `Sec-WebSocket-Protocol`. */
  offers: string
  requests: Messages<ClientMessage>
  replies: Messages
  pushes: Messages
}

const describeAll = (): Dialect[] => [
  {
    name: 'plain',
    title: 'Plain clients',
    description: 'A socket for which only a credential was offered: it is sent, without asking, the channels that x-channels marks for plain clients, as far as its scopes allow.',
    offers: 'The key, access token or ticket; nothing when the credential travels in another way',
    requests: everyClientMessages,
    replies: everyClientReplies,
    pushes: { ...everyClientPushes, ...plainPushes, ...describePlainMessages() }
  },
  {
    name: 'pitwallV1',
    title: 'Clients of pitwall.v1',
    description: 'A socket for which pitwall.v1 was offered: it is sent what it subscribes to, replies, and messages to it alone. With pitwall.v1+batch offered as well, frames may be arrays: ClientBatch and ServerBatch.',
    offers: 'pitwall.v1, with pitwall.v1+batch for array frames, and the key, access token or ticket where that does not travel in another way',
    requests: { ...everyClientMessages, ...pitwallV1Messages },
    replies: { ...everyClientReplies, ...pitwallV1Replies },
    pushes: { ...everyClientPushes, ...pitwallV1Pushes, ...describeDataMessages() }
  }
]

/** Channels, operations and messages of the document: one channel for each dialect of the socket. */
export function describeDialects (socketPath: string) {
  const dialects = describeAll()
  const messages = Object.assign({}, ...dialects.map(({ requests, replies, pushes }) => ({ ...requests, ...replies, ...pushes }))) as Messages
  const [, v1] = dialects
  const batches = v1 ? describeBatches(v1) : {}
  return {
    channels: Object.fromEntries(dialects.map((dialect) => [dialect.name, describeChannel(dialect, socketPath, dialect === v1 ? Object.keys(batches) : [])])),
    operations: Object.assign({}, ...dialects.map(describeOperations)) as Record<string, object>,
    messages: { ...Object.fromEntries(Object.entries(messages).map(([name, message]) => [name, describeMessage(name, message)])), ...batches }
  }
}

const component = (name: string) => ({ $ref: `#/components/messages/${name}` })
const messageOf = ({ name }: Dialect, message: string) => ({ $ref: `#/channels/${name}/messages/${message}` })

function describeChannel (dialect: Dialect, socketPath: string, batches: string[]) {
  const { title, description, offers, requests, replies, pushes } = dialect
  const names = [...Object.keys({ ...requests, ...replies, ...pushes }), ...batches]
  return {
    address: socketPath,
    title,
    description: `${description} The address / serves the same.`,
    messages: Object.fromEntries(names.map((name) => [name, component(name)])),
    bindings: {
      ws: {
        method: 'GET',
        headers: { type: 'object', properties: { 'Sec-WebSocket-Protocol': { type: 'string', description: offers } } },
        bindingVersion: '0.1.0'
      }
    }
  }
}

/** What the server takes from clients of a dialect, with its replies, and what it sends without asking. */
function describeOperations (dialect: Dialect) {
  const channel = { $ref: `#/channels/${dialect.name}` }
  const received = Object.entries(dialect.requests).map(([name, { summary, needs, reply }]) => [`${dialect.name}.${name}`, {
    action: 'receive',
    channel,
    summary,
    'x-needs': needs,
    messages: [messageOf(dialect, name)],
    ...(reply !== undefined && { reply: { channel, messages: [messageOf(dialect, reply), messageOf(dialect, 'ErrorReply')] } })
  }])
  const sent = {
    action: 'send',
    channel,
    summary: 'What the server sends without being asked, and errors about messages that have no reply',
    messages: [...Object.keys(dialect.pushes), ...unasked.filter((name) => name in dialect.replies)].map((name) => messageOf(dialect, name))
  }
  return { ...Object.fromEntries(received), [`${dialect.name}.Pushes`]: sent }
}

// Replies that also come by themselves.
const unasked = ['ErrorReply', 'SubscribedReply', 'UnsubscribedReply', 'ReplayReply']

function describeMessage (name: string, { schema, summary, examples }: DocumentedMessage) {
  const { properties = {} } = schema as { properties?: Record<string, { const?: string }> }
  return {
    name: properties.type?.const ?? name,
    title: name,
    summary,
    ...(properties.id && { correlationId: { location: '$message.payload#/id', description: 'Names the request, on its reply too' } }),
    payload: schema,
    examples
  }
}

/** Frames of `pitwall.v1+batch`. */
function describeBatches ({ requests, replies, pushes }: Dialect) {
  const batch = (name: string, summary: string, of: Messages) => ({
    name,
    title: name,
    summary,
    payload: { type: 'array', minItems: 1, items: { anyOf: Object.keys(of).map((message) => ({ $ref: `#/components/messages/${message}/payload` })) } },
    examples: [{ payload: Object.values(of).slice(-2).map(({ examples: [{ payload }] }) => payload) }]
  })
  return {
    ClientBatch: batch('ClientBatch', 'Messages of a client in one frame, answered one by one', requests),
    ServerBatch: batch('ServerBatch', 'Messages of the server in one frame', { ...replies, ...pushes })
  }
}
