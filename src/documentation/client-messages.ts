import {
  BroadcastMessage, CommandResultMessage, CreateMessage, DeleteMessage, FetchMessage, RelayMessage, TypeMessageData, TypelessStatus, UpdateMessage
} from '../schemas/messages/every-client.js'
import {
  AuthMessage, HistoryMessage, PauseMessage, PingMessage, PresenceMessage, PublishMessage, ResumeMessage, SeekMessage, StatusMessage, SubscribeMessage,
  UnsubscribeMessage
} from '../schemas/messages/pitwall-v1.js'
import { sample, type ClientMessage } from './documented-message.js'

/** What every client may send, by the name of its schema. */
export const everyClientMessages: Record<string, ClientMessage> = {
  CreateMessage: {
    schema: CreateMessage,
    needs: 'events:write',
    summary: 'Create an event of your own fields',
    reply: 'EventResponse',
    examples: [{ payload: { type: 'CREATE', id: '1', payload: { type: 'pit-stop', car: 'car-7', seconds: 2.4 } } }]
  },
  UpdateMessage: {
    schema: UpdateMessage,
    needs: 'events:write',
    summary: 'Set fields of an event',
    reply: 'EventResponse',
    examples: [{ payload: { type: 'UPDATE', id: '2', payload: { id: sample.event, updateData: { seconds: 2.3 } } } }]
  },
  DeleteMessage: {
    schema: DeleteMessage,
    needs: 'events:write',
    summary: 'Delete an event',
    reply: 'EventResponse',
    examples: [{ payload: { type: 'DELETE', id: '3', payload: { id: sample.event } } }]
  },
  FetchMessage: {
    schema: FetchMessage,
    needs: 'read',
    summary: 'Read events, the newest first: up to limit (1,000), from the place where nextCursor left off',
    reply: 'FetchResponse',
    examples: [
      { name: 'all', payload: { type: 'FETCH', id: '4' } },
      { name: 'filtered', payload: { type: 'FETCH', id: '5', payload: { filter: { type: 'pit-stop', seconds: { $lt: 3 } }, limit: 20 } } }
    ]
  },
  BroadcastMessage: {
    schema: BroadcastMessage,
    needs: 'publish',
    summary: 'Say something to every client, the sender too: the channel broadcast carries it with its payload unchanged',
    examples: [{ payload: { type: 'BROADCAST', payload: { message: 'box, box', car: 'car-7' } } }]
  },
  RelayMessage: {
    schema: RelayMessage,
    needs: 'publish',
    summary: 'Send data to all others, over the channel broadcast, or to the one session to, whoever it is',
    examples: [
      { name: 'to all others', payload: { type: 'message', data: { text: 'safety car in this lap' } } },
      { name: 'to one session', payload: { type: 'message', data: 'psst', to: sample.otherSession } }
    ]
  },
  TypeMessageData: {
    schema: TypeMessageData,
    needs: 'publish',
    summary: 'A TMD (type, message, data) of a type of your own, to every client as sent; x-reserved-types are refused. With a message field the type may be "message"',
    examples: [{ payload: { type: 'flag', message: 'yellow', data: { sector: 2 } } }]
  },
  CommandResultMessage: {
    schema: CommandResultMessage,
    needs: 'ingest',
    summary: 'Say that a command was delivered, and what became of it: done or failed. The same again is acknowledged and changes nothing',
    reply: 'CommandAck',
    examples: [
      { name: 'the device has it', payload: { type: 'command-result', id: '6', command: sample.command, state: 'delivered' } },
      { name: 'it is done', payload: { type: 'command-result', id: '7', command: sample.command, state: 'done', result: { limiter: 80 } } }
    ]
  },
  TypelessStatus: {
    schema: TypelessStatus,
    needs: 'ingest',
    summary: 'The status of a vehicle: an object without type, of vehicle (the key’s, or default), ts and signals, as in POST /api/update-status',
    examples: [{ payload: { vehicle: 'car-7', motorRPM: 4200, batteryPercentage: 81, gear: '3' } }]
  }
}

/** What clients of `pitwall.v1` may send besides, by the name of its schema. */
export const pitwallV1Messages: Record<string, ClientMessage> = {
  SubscribeMessage: {
    schema: SubscribeMessage,
    needs: 'read of the channel',
    summary: 'Get a channel: all after since, or the state now, and then every message. Again: in place of the subscription before',
    reply: 'SubscribedReply',
    examples: [
      { name: 'from now on', payload: { type: 'subscribe', id: '1', channel: 'status', maxRate: 10, filter: { vehicle: 'car-7' } } },
      { name: 'from a cursor on', payload: { type: 'subscribe', id: '2', channel: 'events', since: sample.cursor } },
      { name: 'from a time on', payload: { type: 'subscribe', id: '3', channel: 'vehicle:car-7', since: sample.time } },
      { name: 'a replay', payload: { type: 'subscribe', id: '12', channel: 'replay:car-7', from: sample.time, to: '2026-03-01T12:30:00.000Z', speed: 4 } }
    ]
  },
  UnsubscribeMessage: {
    schema: UnsubscribeMessage,
    needs: 'any',
    summary: 'Get a channel no longer',
    reply: 'UnsubscribedReply',
    examples: [{ payload: { type: 'unsubscribe', id: '4', channel: 'status' } }]
  },
  PublishMessage: {
    schema: PublishMessage,
    needs: 'publish of the channel',
    summary: 'Publish on an app: channel; acknowledged once stored. The same key within 24 hours: the same cursor, no second message',
    reply: 'PublishAck',
    examples: [{ payload: { type: 'publish', id: '5', channel: 'app:strategy', data: { plan: 'B', stops: 2 }, key: 'plan-2026-03-01' } }]
  },
  StatusMessage: {
    schema: StatusMessage,
    needs: 'ingest',
    summary: 'Store signals of a vehicle: either the values of one instant, with ts, or samples, judged one by one; acknowledged once stored. sentAt starts the latency that is measured',
    reply: 'StatusAck',
    examples: [
      { name: 'values', payload: { type: 'status', id: '6', vehicle: 'car-7', ts: sample.time, sentAt: sample.time, values: { speed: 142, motorRPM: 6820, gear: '4' } } },
      { name: 'samples', payload: { type: 'status', id: '7', vehicle: 'car-7', samples: [{ ts: '2026-03-01T12:00:00.100Z', values: { speed: 143 } }, { ts: '2026-03-01T12:00:00.200Z', values: { speed: 144 } }] } }
    ]
  },
  HistoryMessage: {
    schema: HistoryMessage,
    needs: 'read of the channel',
    summary: 'Read a channel’s past, oldest first: after since, or the newest without it; up to limit, 100 by default',
    reply: 'HistoryReply',
    examples: [{ payload: { type: 'history', id: '8', channel: 'app:strategy', limit: 10 } }]
  },
  PresenceMessage: {
    schema: PresenceMessage,
    needs: 'read of the channel',
    summary: 'Who is subscribed to a channel on this node; visitors may not ask',
    reply: 'PresenceReply',
    examples: [{ payload: { type: 'presence', id: '9', channel: 'app:strategy' } }]
  },
  SeekMessage: {
    schema: SeekMessage,
    needs: 'read of the channel',
    summary: 'Play a replay on from another time of its range; one that is paused stays so',
    reply: 'ReplayReply',
    examples: [{ payload: { type: 'seek', id: '13', channel: 'replay:car-7', to: '2026-03-01T12:10:00.000Z' } }]
  },
  PauseMessage: {
    schema: PauseMessage,
    needs: 'read of the channel',
    summary: 'Let a replay stand still',
    reply: 'ReplayReply',
    examples: [{ payload: { type: 'pause', id: '14', channel: 'replay:car-7' } }]
  },
  ResumeMessage: {
    schema: ResumeMessage,
    needs: 'read of the channel',
    summary: 'Let a replay go on, or change its speed',
    reply: 'ReplayReply',
    examples: [{ payload: { type: 'resume', id: '15', channel: 'replay:car-7', speed: 16 } }]
  },
  AuthMessage: {
    schema: AuthMessage,
    needs: 'any',
    summary: 'Take another credential on the open socket: a key, an access token or a ticket. Subscriptions it may not read end',
    reply: 'AuthenticatedReply',
    examples: [{ payload: { type: 'auth', id: '10', token: sample.key } }]
  },
  PingMessage: {
    schema: PingMessage,
    needs: 'any',
    summary: 'Ask for a sign of life',
    reply: 'PongReply',
    examples: [{ payload: { type: 'ping', id: '11' } }]
  }
}
