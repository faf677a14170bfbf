/** Channels whose full name is fixed. */
export const channelNames = [
  'events', 'devices', 'vehicles', 'gear', 'engineIconColor', 'status', 'broadcast', 'activity', 'analytics', 'alerts', 'connections'
] as const

/** Channels with a name of their own after the colon. */
export const channelPrefixes = ['vehicle:', 'replay:', 'commands:', 'app:'] as const

/** Every type a message of the protocol may have, in either direction. */
export const messageTypes = [
  'CREATE', 'UPDATE', 'DELETE', 'FETCH', 'BROADCAST', 'message', 'response', 'error', 'broadcast', 'welcome', 'status',
  'subscribe', 'subscribed', 'unsubscribe', 'unsubscribed', 'publish', 'ack', 'history', 'presence', 'auth', 'authenticated',
  'command', 'command-result', 'ping', 'pong', 'data', 'dropped', 'bye', 'seek', 'pause', 'resume', 'replay'
] as const

const reserved: ReadonlySet<string> = new Set([...channelNames, ...messageTypes])

/** True for a type that a TMD may not have: a message type, a channel, or a name in a channel's prefix. */
export const isReservedType = (type: string): boolean =>
  reserved.has(type) || channelPrefixes.some((prefix) => type.startsWith(prefix))
