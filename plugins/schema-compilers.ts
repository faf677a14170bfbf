import serializerCompiler from '@fastify/fast-json-stringify-compiler'
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import fp from 'fastify-plugin'

const compileSerializer = serializerCompiler.SerializerSelector()({}, {})

/**
 * Checks by TypeBox, the same as for sockets; replies by fast-json-stringify. Each
 * schema is compiled at its first use: compiling all of them would be a good part of a start.
 */
export default fp(async (app) => {
  app.setValidatorCompiler((route) => {
    let validate: ReturnType<typeof TypeBoxValidatorCompiler> | undefined
    return (value: unknown) => {
      validate ??= TypeBoxValidatorCompiler(route as Parameters<typeof TypeBoxValidatorCompiler>[0])
      return validate(value) as { value?: unknown }
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
