import type { TSchema } from 'typebox'
import { channelTable, type ChannelRule } from '../realtime/channels.js'
import { channelData } from '../schemas/channel-data.js'
import { DataMessage, PlainMessage } from '../schemas/messages/pushes.js'
import { channelExamples } from './channel-examples.js'
import { sample, type DocumentedMessage } from './documented-message.js'

/** `vehicle:` and `engineIconColor` as the beginnings of names: `Vehicle`, `EngineIconColor`. */
export const nameOfChannel = (channel: string): string => `${channel.charAt(0).toUpperCase()}${channel.slice(1).replace(':', '')}`

/** Schema of a channel's data. @throws when the channel table has a row that `channelData` lacks */
function dataOf ({ name }: ChannelRule): { schema: TSchema, example: unknown } {
  const schema = channelData[name]?.data
  const example = channelExamples[name]
  if (!schema || !example) throw new Error(`The channel ${name} has no schema and example of its data`)
  return { schema, example: example.data }
}

const label = ({ name }: ChannelRule) => name.endsWith(':') ? `${name}NAME` : name

/** The `data` message of every channel, for clients of `pitwall.v1`. */
export const describeDataMessages = (): Record<string, DocumentedMessage> => Object.fromEntries(channelTable.map((rule) => {
  const { schema, example } = dataOf(rule)
  const channel = channelExamples[rule.name]?.channel ?? rule.name
  return [`${nameOfChannel(rule.name)}Data`, {
    schema: DataMessage(rule.name, schema),
    summary: `Channel ${label(rule)}: ${rule.description}`,
    examples: [{ payload: { type: 'data', channel, cursor: sample.cursor, ts: sample.time, data: example } }]
  }]
}))

/** What plain clients get of the channels marked for them, where it is not the data as it is. */
export const describePlainMessages = (): Record<string, DocumentedMessage> => Object.fromEntries(
  channelTable.filter(({ plain }) => plain === 'typed').map((rule) => {
    const { schema, example } = dataOf(rule)
    return [`${nameOfChannel(rule.name)}Push`, {
      schema: PlainMessage(rule.name, schema),
      summary: rule.description,
      examples: [{ payload: { type: rule.name, data: example } }]
    }]
  }))
