import fp from 'fastify-plugin'
import { PitwallError } from '../src/errors.js'
import { decodeText, isPrototypeName, parseJson, reservedName } from '../src/json-input.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Adds a parser of bodies of other types, given as text. */
    addTextParser (types: string[], parse: (text: string) => unknown): void
  }
}

/** JSON bodies within the limits of their shape; names that reach a prototype are refused there and in queries. */
export default fp(async (app) => {
  const { inputLimits } = app.config

  app.decorate('addTextParser', function addTextParser (this: typeof app, types: string[], parse: (text: string) => unknown) {
    this.addContentTypeParser(types, { parseAs: 'buffer' }, (_request, body: Buffer, done) => {
      let value: unknown
      try {
        value = parse(decodeText(body))
      } catch (error) {
        return done(error as Error)
      }
      done(null, value)
    })
  })

  app.addTextParser(['application/json'], (text) => {
    if (text === '') throw new PitwallError('INVALID_JSON', 'The body is empty: send JSON, or no Content-Type')
    return parseJson(text, inputLimits)
  })

  app.addHook('preValidation', (request, _reply, done) => {
    for (const name in request.query as object) if (isPrototypeName(name)) return done(reservedName('query', '', name))
    done()
  })
}, { name: 'json-body', fastify: '5.x' })
