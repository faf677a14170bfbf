export { clientSocket, TMD, type TMDMessage } from './client-socket.js'
export type { ChannelData, ChannelTypes, EntityChange, TypedChannel } from './channel-types.js'
export type { Command } from '../schemas/command.js'
export type { CommandHandler } from './commands.js'
export { connect, type Client, type ClientEvents } from './client.js'
export type { ChannelSubscription } from './subscription.js'
export {
  ClientError, type BulkVerdict, type ChannelMessage, type ChannelSnapshot, type ClientMessage, type ClientResponse,
  type ClientState, type ConnectOptions, type RelayedMessage, type ReplayMessage, type ReplayState, type Sample, type StateChange, type SubscribeOptions, type SubscriptionEvents
} from './types.js'
