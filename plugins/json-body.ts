import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { PitwallError } from '../src/errors.js'

/** JSON bodies; a key that could reach a prototype is refused by name, not as invalid JSON. */
export default fp(async (app) => {
  const parseStrict = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request: FastifyRequest, body: string, done) => {
    return parseStrict(request, body, (error, value) => {
      done(error && isJson(body) ? new PitwallError('RESERVED_FIELD', 'The body has a field named __proto__ or constructor; these names are reserved') : error, value)
    })
  })
}, { name: 'json-body', fastify: '5.x' })

function isJson (text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
