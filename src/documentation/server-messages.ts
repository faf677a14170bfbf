import {
  AuthenticatedReply, CommandAck, ErrorReply, EventResponse, FetchResponse, HistoryReply, PongReply, PresenceReply, PublishAck, ReplayReply, StatusAck,
  SubscribedReply, UnsubscribedReply
} from '../schemas/messages/replies.js'
import {
  BroadcastEnvelope, ByeMessage, CommandMessage, DroppedMessage, RelayEnvelope, TypeMessageDataEnvelope, WelcomeMessage
} from '../schemas/messages/pushes.js'
import { sample, sampleEvent, type DocumentedMessage } from './documented-message.js'

const sent = { from: sample.session, ts: sample.time }

/** Answers that every client gets, by the name of their schema. */
export const everyClientReplies: Record<string, DocumentedMessage> = {
  EventResponse: {
    schema: EventResponse,
    summary: 'The event as it now is, or as it was when deleted',
    examples: [{ payload: { type: 'response', id: '1', payload: { action: 'CREATE', success: true, data: sampleEvent } } }]
  },
  FetchResponse: {
    schema: FetchResponse,
    summary: 'A page of events',
    examples: [{ payload: { type: 'response', id: '4', payload: { action: 'FETCH', success: true, data: [sampleEvent], nextCursor: null } } }]
  },
  CommandAck: {
    schema: CommandAck,
    summary: 'What was reported of a command is stored; the state it is in',
    examples: [{ payload: { type: 'ack', id: '7', command: sample.command, state: 'done' } }]
  },
  ErrorReply: {
    schema: ErrorReply,
    summary: 'What was wrong with a message. The socket stays open; it closes with 1008 after 20 bad messages in a row',
    examples: [
      { name: 'a reply', payload: { type: 'error', id: '1', payload: { code: 'FORBIDDEN', message: 'This needs the scope publish' } } },
      { name: 'without an id', payload: { type: 'error', payload: { code: 'INVALID_JSON', message: 'The message is not valid JSON' } } }
    ]
  }
}

/** Answers to the messages of `pitwall.v1`, by the name of their schema. */
export const pitwallV1Replies: Record<string, DocumentedMessage> = {
  SubscribedReply: {
    schema: SubscribedReply,
    summary: 'The subscription stands. It comes without id, recovered false and with a snapshot when the server itself missed messages of the channel',
    examples: [
      { name: 'the state now', payload: { type: 'subscribed', id: '1', channel: 'status', cursor: sample.cursor, snapshot: [{ vehicle: 'car-7', simulated: false, online: true, lastSeen: sample.time, state: { speed: { v: 142, t: sample.time } } }] } },
      { name: 'recovered', payload: { type: 'subscribed', id: '2', channel: 'events', cursor: sample.cursor, recovered: true } },
      { name: 'not recovered', payload: { type: 'subscribed', id: '3', channel: 'events', cursor: sample.cursor, recovered: false, snapshot: [sampleEvent] } },
      { name: 'a replay', payload: { type: 'subscribed', id: '12', channel: 'replay:car-7', cursor: 'c_rmm7fxdc0', replay: { from: sample.time, to: '2026-03-01T12:30:00.000Z', first: sample.time, last: '2026-03-01T12:29:59.980Z', state: 'playing', position: sample.time, speed: 4 } } }
    ]
  },
  UnsubscribedReply: {
    schema: UnsubscribedReply,
    summary: 'The subscription has ended; with a reason and without id when a credential given by auth may not read the channel',
    examples: [
      { name: 'a reply', payload: { type: 'unsubscribed', id: '4', channel: 'status' } },
      { name: 'ended by the server', payload: { type: 'unsubscribed', channel: 'connections', reason: 'This needs the scope admin' } }
    ]
  },
  PublishAck: {
    schema: PublishAck,
    summary: 'The message is stored; its place in the channel',
    examples: [{ payload: { type: 'ack', id: '5', cursor: sample.storedCursor } }]
  },
  StatusAck: {
    schema: StatusAck,
    summary: 'How many samples were stored, known before or refused',
    examples: [{ payload: { type: 'ack', id: '7', accepted: 1, duplicates: 0, rejected: [{ index: 1, code: 'VALIDATION_FAILED', message: 'ts must be ISO 8601 or epoch milliseconds' }] } }]
  },
  HistoryReply: {
    schema: HistoryReply,
    summary: 'Messages of a channel’s past',
    examples: [{ payload: { type: 'history', id: '8', channel: 'app:strategy', messages: [{ channel: 'app:strategy', cursor: sample.storedCursor, ts: sample.time, data: { plan: 'B', stops: 2 } }], cursor: sample.storedCursor } }]
  },
  PresenceReply: {
    schema: PresenceReply,
    summary: 'Who is subscribed',
    examples: [{ payload: { type: 'presence', id: '9', channel: 'app:strategy', count: 1, members: [{ sessionId: sample.session, name: 'pit wall' }] } }]
  },
  ReplayReply: {
    schema: ReplayReply,
    summary: 'Where a replay is; without an id when it has come to its end',
    examples: [
      { name: 'a reply', payload: { type: 'replay', id: '14', channel: 'replay:car-7', cursor: 'c_rmm7g9y80', state: 'paused', position: '2026-03-01T12:10:04.250Z', speed: 4 } },
      { name: 'the end', payload: { type: 'replay', channel: 'replay:car-7', cursor: 'c_rmm7h0x9c', state: 'ended', position: '2026-03-01T12:30:00.000Z', speed: 4 } }
    ]
  },
  AuthenticatedReply: {
    schema: AuthenticatedReply,
    summary: 'The credential that now counts, by its scopes',
    examples: [{ payload: { type: 'authenticated', id: '10', scopes: ['read', 'publish'] } }]
  },
  PongReply: {
    schema: PongReply,
    summary: 'A sign of life',
    examples: [{ payload: { type: 'pong', id: '11', serverTime: sample.time } }]
  }
}

/** What both dialects are sent without asking. */
export const everyClientPushes: Record<string, DocumentedMessage> = {
  WelcomeMessage: {
    schema: WelcomeMessage,
    summary: 'First on every connection',
    examples: [{ payload: { type: 'welcome', sessionId: sample.session, protocol: 'pitwall.v1', serverTime: sample.time, pingInterval: 12_000 } }]
  },
  RelayEnvelope: {
    schema: RelayEnvelope,
    summary: 'A message of another client: to this session alone, or, to plain clients, to all',
    examples: [{ payload: { type: 'message', data: 'psst', ...sent } }]
  },
  ByeMessage: {
    schema: ByeMessage,
    summary: 'The server is about to close this socket',
    examples: [{ payload: { type: 'bye', reason: 'the server restarts', reconnectAfter: 500 } }]
  }
}

/** What only plain clients are sent: commands, and the rest of what the channel `broadcast` brings them. */
export const plainPushes: Record<string, DocumentedMessage> = {
  CommandMessage: {
    schema: CommandMessage,
    summary: 'A command, to a client whose key is bound to its vehicle or to a device in it: those that wait, on connecting, and each that is given from then on. It comes again with the next connection until its end is reported',
    examples: [{ payload: { type: 'command', command: sample.command, name: 'set-limiter', params: { speed: 80 }, expiresAt: '2026-03-02T12:00:00.000Z' } }]
  },
  BroadcastEnvelope: {
    schema: BroadcastEnvelope,
    summary: 'A BROADCAST of some client',
    examples: [{ payload: { type: 'broadcast', payload: { message: 'box, box', car: 'car-7' }, ...sent } }]
  },
  TypeMessageDataEnvelope: {
    schema: TypeMessageDataEnvelope,
    summary: 'A TMD of some client, as sent',
    examples: [{ payload: { type: 'flag', message: 'yellow', data: { sector: 2 }, ...sent } }]
  }
}

/** What only `pitwall.v1` is sent without asking, besides the data of channels. */
export const pitwallV1Pushes: Record<string, DocumentedMessage> = {
  DroppedMessage: {
    schema: DroppedMessage,
    summary: 'So many messages of a channel were folded into later ones, because this client reads too slowly. What maxRate leaves out is not counted',
    examples: [{ payload: { type: 'dropped', channel: 'status', count: 120 } }]
  }
}
