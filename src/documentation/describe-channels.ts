import { visitorMayRead } from '../identity/visitor.js'
import type { ChannelSource } from '../realtime/broker.js'
import { channelTable, type ChannelRule } from '../realtime/channels.js'
import { latestDocument, latestSignals, latestValues, onlyLatest, type Conflation } from '../realtime/conflation.js'
import { nameOfChannel } from './channel-messages.js'

const conflationKeys = new Map<Conflation, string>([
  [latestDocument, 'document'], [latestSignals, 'vehicle and signal'], [latestValues, 'signal'], [onlyLatest, 'channel']
])

/**
 * The channel table as `x-channels` tells it: what each channel is, who may read and
 * publish, what is kept of its past.
 * @param sources where the running server has the channels' state and past from
 */
export const describeChannels = (sources: ReadonlyMap<string, ChannelSource>) => channelTable.map((rule) => {
  const source = sources.get(rule.name)
  return {
    name: rule.name,
    description: rule.description,
    read: rule.read,
    publish: rule.publish,
    visitors: visitorMayRead(rule.name),
    durable: rule.durable,
    conflatedBy: conflationOf(rule),
    neverShed: rule.neverShed === true,
    history: { messages: rule.history.length, milliseconds: rule.history.age, stored: source?.history !== undefined },
    plainClients: rule.plain,
    message: { $ref: `#/components/messages/${nameOfChannel(rule.name)}Data` },
    ...(source?.snapshot && { snapshot: { $ref: `#/components/schemas/${nameOfChannel(rule.name)}Snapshot` } })
  }
})

/** What two messages must share for the later to stand for both; null where messages are never folded. */
function conflationOf ({ name, conflation }: ChannelRule): string | null {
  if (!conflation) return null
  const key = conflationKeys.get(conflation)
  if (key === undefined) throw new Error(`The channel ${name} is conflated by a key without a name`)
  return key
}
