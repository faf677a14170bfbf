import serializerCompiler from '@fastify/fast-json-stringify-compiler'
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import type { FastifySchemaValidationError } from 'fastify'
import fp from 'fastify-plugin'

const compileSerializer = serializerCompiler.SerializerSelector()({}, {})

/**
 * Checks by TypeBox, the same as for sockets; replies by fast-json-stringify. Each
 * schema is compiled at its first use: compiling all of them would be a good part of a start.
 */
export default fp(async (app) => {
  app.setValidatorCompiler((route) => {
    let validate: ReturnType<typeof TypeBoxValidatorCompiler> | undefined
    const judge = (value: unknown) => {
      validate ??= TypeBoxValidatorCompiler(route as Parameters<typeof TypeBoxValidatorCompiler>[0])
      return validate(value) as { value?: unknown, error?: FastifySchemaValidationError[] }
    }
    if (route.httpPart !== 'querystring') return judge
    // Most requests have no query, of which the verdict is always the same.
    let ofNone: ReturnType<typeof judge> | undefined
    return (value: object) => {
      if (Object.keys(value).length > 0) return judge(value)
      ofNone ??= judge({})
      return ofNone.error ? ofNone : { value }
    }
  })
  app.setSerializerCompiler((route) => {
    let serialize: ReturnType<typeof compileSerializer> | undefined
    return (value) => {
      serialize ??= compileSerializer({ ...route, httpStatus: route.httpStatus ?? '' })
      return serialize(value)
    }
  })
}, { name: 'schema-compilers', fastify: '5.x' })
