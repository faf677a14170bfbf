import { PitwallError } from '../errors.js'
import type { Identity } from '../identity/identity.js'
import { channelRule, mayPublish } from './channels.js'
import type { RealtimeServices } from './services.js'

export interface ChannelPublish {
  channel: string
  data: unknown
  /** The same key within 24 hours publishes once. */
  key?: string
  /** Size as received. */
  bytes?: number
}

/**
 * Publishes what a client sent, stored first.
 * @returns the message's cursor
 * @throws UNKNOWN_CHANNEL, FORBIDDEN
 */
export async function publishMessage (services: RealtimeServices, identity: Identity, message: ChannelPublish): Promise<string> {
  const rule = channelRule(message.channel)
  if (rule.publish === null) throw new PitwallError('FORBIDDEN', `Only the server publishes on ${message.channel}; channels of your own are named app:NAME`)
  if (!mayPublish(identity, rule)) throw new PitwallError('FORBIDDEN', `Publishing on ${message.channel} needs the scope ${rule.publish}`)
  return services.publish(identity, message)
}
