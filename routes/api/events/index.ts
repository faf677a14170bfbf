import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { identityOf } from '../../../plugins/route-scope.js'
import { entityTag } from '../../../src/entities/entity-tag.js'
import { PitwallError } from '../../../src/errors.js'
import { recordEventRemoval } from '../../../src/identity/audit.js'
import { IdParams } from '../../../src/schemas/atoms.js'
import { Success, SuccessList } from '../../../src/schemas/envelope.js'
import { Event, EventFields, EventListQuery } from '../../../src/schemas/event.js'

const tags = ['events']
const read = { scope: 'read', visitor: true } as const
const write = { scope: 'events:write' } as const
const OneEvent = Success(Event)

const eventRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { events } = app.entities

  app.get('/', {
    config: read,
    schema: { summary: 'List events, newest first', tags, querystring: EventListQuery, response: { 200: SuccessList(Event) } }
  }, async (request) => {
    const { filter, ...query } = request.query
    const page = await events.fetch({ ...query, filter: filter === undefined ? undefined : parseFilterText(filter) })
    return { success: true as const, ...page }
  })

  app.post('/', {
    config: write,
    schema: { summary: 'Create an event', tags, body: EventFields, response: { 201: OneEvent } }
  }, async (request, reply) => {
    const event = await events.create(request.body)
    return reply.code(201).header('location', `/api/events/${event.id}`).header('etag', entityTag(event)).send({ success: true, data: event })
  })

  app.get('/:id', {
    config: read,
    schema: { summary: 'Read an event', tags, params: IdParams, response: { 200: OneEvent } }
  }, async (request, reply) => {
    const event = await events.get(request.params.id)
    return reply.header('etag', entityTag(event)).send({ success: true, data: event })
  })

  app.patch('/:id', {
    config: write,
    schema: { summary: 'Set fields of an event', tags, params: IdParams, body: EventFields, response: { 200: OneEvent } }
  }, async (request, reply) => {
    const event = await events.update(request.params.id, request.body, { ifMatch: request.headers['if-match'] })
    return reply.header('etag', entityTag(event)).send({ success: true, data: event })
  })

  app.put('/:id', {
    config: write,
    schema: { summary: 'Replace all fields of an event', tags, params: IdParams, body: EventFields, response: { 200: OneEvent } }
  }, async (request, reply) => {
    const event = await events.replace(request.params.id, request.body, { ifMatch: request.headers['if-match'] })
    return reply.header('etag', entityTag(event)).send({ success: true, data: event })
  })

  app.delete('/:id', {
    config: write,
    schema: { summary: 'Delete an event', tags, params: IdParams, response: { 200: OneEvent } }
  }, async (request) => {
    const event = await events.remove(request.params.id, { ifMatch: request.headers['if-match'] })
    await recordEventRemoval(app.identities.audit, identityOf(request), event)
    return { success: true as const, data: event }
  })
}

export default eventRoutes

/** The query's `filter`. What it may hold, the domain judges. */
function parseFilterText (text: string): Record<string, unknown> {
  let filter: unknown
  try {
    filter = JSON.parse(text)
  } catch (cause) {
    throw new PitwallError('BAD_FILTER', 'filter is not valid JSON', { cause })
  }
  if (typeof filter !== 'object' || filter === null || Array.isArray(filter)) throw new PitwallError('BAD_FILTER', 'The filter is not an object')
  return filter as Record<string, unknown>
}
