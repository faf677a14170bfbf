import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { PitwallError } from '../../../src/errors.js'
import { channelRule, channelTable, mayRead, refuseReading } from '../../../src/realtime/channels.js'
import { readHistory } from '../../../src/realtime/read-history.js'
import { ChannelHistoryQuerySchema, ChannelMessageSchema, ChannelParamsSchema, ChannelSchema } from '../../../src/schemas/channel.js'
import { SuccessList } from '../../../src/schemas/envelope.js'
import { identityOf } from '../../../plugins/route-scope.js'

const tags = ['channels']
const config = { scope: 'any' } as const

const channels: FastifyPluginAsyncTypebox = async (app) => {
  const { hub } = app

  app.get('/', {
    config,
    schema: { summary: 'List the channels you may read', tags, response: { 200: SuccessList(ChannelSchema) } }
  }, async (request) => {
    const identity = identityOf(request)
    const data = channelTable.filter((rule) => mayRead(identity, rule)).map(({ name, description, read, publish, durable, history }) =>
      ({ name, description, read, publish, durable, history: { length: history.length, age: history.age }, subscribers: hub.countSubscribers(name) }))
    return { success: true as const, data, nextCursor: null }
  })

  app.get('/:name/history', {
    config,
    schema: { summary: 'Read a channel\'s past', description: 'Oldest first: after since, or the newest without it.', tags, params: ChannelParamsSchema, querystring: ChannelHistoryQuerySchema, response: { 200: SuccessList(ChannelMessageSchema) } }
  }, async (request) => {
    const { params: { name }, query: { since, limit = 50 } } = request
    const rule = channelRule(name)
    const identity = identityOf(request)
    if (!mayRead(identity, rule)) throw new PitwallError('FORBIDDEN', refuseReading(identity, rule, name))
    const position = since !== undefined && /^\d+$/.test(since) ? Number(since) : since
    const { messages, cursor } = await readHistory(hub, name, { since: position, limit })
    return { success: true as const, data: messages, nextCursor: since !== undefined && messages.length === limit ? cursor : null }
  })
}

export default channels
