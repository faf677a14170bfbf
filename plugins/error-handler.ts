import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { errorTable, PitwallError, type ErrorCode, type FieldError } from '../src/errors.js'
import { isStoreUnavailable } from '../src/models/store-errors.js'

const codesByStatus = new Map<number, ErrorCode>([
  [400, 'BAD_REQUEST'], [401, 'UNAUTHORIZED'], [403, 'FORBIDDEN'], [404, 'NOT_FOUND'], [405, 'METHOD_NOT_ALLOWED'],
  [413, 'PAYLOAD_TOO_LARGE'], [415, 'UNSUPPORTED_MEDIA_TYPE'], [429, 'TOO_MANY_REQUESTS'], [503, 'OVERLOADED']
])

/** Every failure of a route becomes RFC 9457 problem+json here, and nowhere else. */
export default fp(async (app) => {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = error.code === 'FST_ERR_CTP_BODY_TOO_LARGE' ? tooLarge(request) : toPitwallError(error)
    if (problem.status >= 500) request.log.error({ err: error }, 'request failed')
    else request.log.info({ code: problem.code, detail: problem.message }, 'request refused')
    return sendProblem(request, reply, problem)
  })
  app.setNotFoundHandler((request, reply) =>
    sendProblem(request, reply, new PitwallError('NOT_FOUND', `There is nothing at ${request.method} ${pathOf(request)}`)))
}, { name: 'error-handler', fastify: '5.x' })

const tooLarge = ({ routeOptions }: FastifyRequest) =>
  new PitwallError('PAYLOAD_TOO_LARGE', `The body is larger than the ${routeOptions.bodyLimit} bytes that BODY_LIMIT allows`)

/** Turns whatever was thrown into an error that may be shown; unknown ones lose their text. */
export function toPitwallError (error: unknown): PitwallError {
  if (error instanceof PitwallError) return error
  if (isStoreUnavailable(error)) {
    return new PitwallError('STORE_UNAVAILABLE', 'The database cannot be reached; try again shortly', { retryAfter: 2, cause: error })
  }
  const fault = error as Partial<FastifyError>
  if (fault.validation) {
    // TypeBox tells of an unknown property twice: by name, and as a value that `false` rejects.
    const errors = fault.validation.filter(({ message }) => message !== 'schema is false').map(toFieldError)
    return new PitwallError('VALIDATION_FAILED', describeFaults(fault.validationContext ?? 'body', errors), { errors })
  }
  if (fault.code === 'FST_ERR_CTP_INVALID_JSON_BODY' || fault.code === 'FST_ERR_CTP_EMPTY_JSON_BODY' || error instanceof SyntaxError) {
    return new PitwallError('INVALID_JSON', 'The body is not valid JSON')
  }
  const status = fault.statusCode ?? 500
  if (status >= 400 && status < 500) {
    return new PitwallError(codesByStatus.get(status) ?? 'BAD_REQUEST', fault.message ?? 'Bad request', { cause: error })
  }
  return new PitwallError(status === 503 ? 'OVERLOADED' : 'INTERNAL', status === 503 ? 'The server is overloaded; try again shortly' : 'Something went wrong on the server', { cause: error, ...(status === 503 && { retryAfter: 2 }) })
}

interface ValidationFault { instancePath?: string, message?: string, keyword?: string, params?: Record<string, unknown> }

function toFieldError (fault: ValidationFault): FieldError {
  const properties = fault.params?.requiredProperties ?? fault.params?.additionalProperties
  const extra = Array.isArray(properties) ? `: ${properties.join(', ')}` : ''
  return { path: fault.instancePath ?? '', message: `${fault.message ?? 'is not valid'}${extra}` }
}

function describeFaults (context: string, errors: FieldError[]): string {
  const first = errors[0]
  return first ? `${context}${first.path} ${first.message}` : `The ${context} is not valid`
}

const pathOf = (request: Pick<FastifyRequest, 'url'>) => request.url.split('?')[0] ?? request.url

/** Sends an error as problem+json. */
export function sendProblem (request: Pick<FastifyRequest, 'url'>, reply: FastifyReply, problem: PitwallError): FastifyReply {
  if (problem.retryAfter !== undefined && !reply.hasHeader('retry-after')) {
    reply.header('retry-after', String(Math.max(1, Math.ceil(problem.retryAfter))))
  }
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="Pitwall"')
  return reply.code(problem.status).type('application/problem+json; charset=utf-8').serializer(JSON.stringify).send({
    type: `urn:pitwall:error:${problem.code.toLowerCase().replaceAll('_', '-')}`,
    title: errorTable[problem.code][1],
    status: problem.status,
    detail: problem.message,
    instance: pathOf(request),
    success: false,
    code: problem.code,
    ...(problem.errors && { errors: problem.errors })
  })
}
