export { clientSocket, TMD, type TMDMessage } from './client-socket.js'
export { connect, type Client, type ClientEvents } from './client.js'
export type { ChannelSubscription } from './subscription.js'
export {
  ClientError, type BulkVerdict, type ChannelMessage, type ChannelSnapshot, type ClientMessage, type ClientResponse,
  type ClientState, type ConnectOptions, type Sample, type StateChange, type SubscribeOptions, type SubscriptionEvents
} from './types.js'
