import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Readable } from 'node:stream'
import { Type } from 'typebox'
import { identityOf } from '../../../plugins/route-scope.js'
import { IdParams } from '../../../src/schemas/atoms.js'
import { Success } from '../../../src/schemas/envelope.js'
import { ExportRowSchema, HistoryQuerySchema, HistorySchema, ImportVerdictSchema, MAX_SAMPLES } from '../../../src/schemas/telemetry.js'
import { PitwallError } from '../../../src/errors.js'
import { formatCsv } from '../../../src/telemetry/csv.js'
import { createCsvReader } from '../../../src/telemetry/csv-reader.js'
import { createNdjsonReader, formatNdjson } from '../../../src/telemetry/ndjson.js'

const tags = ['telemetry']
const importTypes = ['application/x-ndjson', 'application/ndjson', 'text/csv'] as const
const exportTypes = { csv: 'text/csv; charset=utf-8', ndjson: 'application/x-ndjson; charset=utf-8' } as const

/** History of one vehicle, out and in. */
const vehicleTelemetry: FastifyPluginAsyncTypebox = async (app) => {
  const { telemetry } = app

  const imports = new Set<AbortController>()
  // A file that is still coming would hold up the close.
  app.addHook('preClose', async () => {
    for (const running of imports) running.abort(new PitwallError('DRAINING', 'The server is shutting down', { retryAfter: 5 }))
  })

  const importBody = async (request: FastifyRequest, reply: FastifyReply, id: string, body: Readable) => {
    const stop = new AbortController()
    imports.add(stop)
    try {
      return await telemetry.importSamples(identityOf(request), id, {
        bytes: body.iterator({ destroyOnReturn: false }),
        reader: request.headers['content-type']?.toLowerCase().startsWith('text/csv') ? createCsvReader() : createNdjsonReader(app.config.inputLimits),
        onPiece: () => { app.extendUpload(request.raw) },
        signal: stop.signal
      })
    } catch (error) {
      // What still comes of the body is not waited for.
      reply.header('connection', 'close')
      throw error
    } finally {
      imports.delete(stop)
    }
  }

  // Read by the handler as they come, whatever their length.
  app.addContentTypeParser([...importTypes], (_request, payload, done) => { done(null, payload) })

  app.get('/:id/telemetry', {
    config: { scope: 'read', visitor: true },
    schema: {
      summary: 'Read the history of a vehicle',
      tags,
      params: IdParams,
      querystring: HistoryQuerySchema,
      response: {
        200: {
          content: {
            'application/json': { schema: Success(HistorySchema) },
            'text/csv': { schema: Type.String() },
            'application/x-ndjson': { schema: ExportRowSchema }
          }
        }
      }
    }
  }, async (request, reply) => {
    const { id } = request.params
    const { format = 'json' } = request.query
    if (format === 'json') {
      const data = await telemetry.history(id, request.query)
      return reply.type('application/json; charset=utf-8').serializer(JSON.stringify).send({ success: true, data })
    }
    const { signals, samples } = await telemetry.exportSamples(id, request.query)
    const lines = format === 'csv' ? formatCsv(signals, samples) : formatNdjson(samples)
    return reply.type(exportTypes[format])
      .header('content-disposition', `attachment; filename="${id.replaceAll(':', '_')}.${format}"`)
      .serializer((value: unknown) => value as string)
      .send(Readable.from(inChunks(lines)) as never)
  })

  app.post('/:id/telemetry', {
    config: { scope: 'ingest', boundKeys: true },
    preParsing: app.limitIngest,
    schema: {
      summary: 'Send samples of a vehicle, as JSON, or as NDJSON or CSV of any length',
      tags,
      params: IdParams,
      body: {
        content: {
          // Judged one by one, so that one bad sample does not refuse the others.
          'application/json': { schema: Type.Array(Type.Unknown(), { maxItems: MAX_SAMPLES, description: 'Samples {ts?, sentAt?, values}' }) },
          'application/x-ndjson': { schema: Type.Unknown({ description: 'A sample a line, any number of lines; an export as it is' }) },
          'application/ndjson': { schema: Type.Unknown({ description: 'As application/x-ndjson' }) },
          'text/csv': { schema: Type.Unknown({ description: 'A first line that names the columns, ts first; any number of rows; an export as it is' }) }
        }
      },
      response: { 200: Success(Type.Partial(ImportVerdictSchema)) }
    }
  }, async (request, reply) => {
    const { body } = request as { body: unknown }
    const { id } = request.params
    if (!isByteStream(body) && !Array.isArray(body)) throw new PitwallError('VALIDATION_FAILED', 'There is no body: send a JSON list of samples, NDJSON or CSV, with its Content-Type')
    const data = isByteStream(body)
      ? await importBody(request, reply, id, body)
      : await telemetry.ingestSamples(identityOf(request), id, body)
    return { success: true as const, data }
  })
}

/** Bodies that are imported as they come. Destroying the stream would take the connection with it, before the reply. */
const isByteStream = (body: unknown): body is Readable => body instanceof Readable

/** Lines joined to pieces of some 64 KiB: a write per line would cost more than the line. */
async function * inChunks (lines: AsyncIterable<string>): AsyncGenerator<string> {
  let chunk = ''
  for await (const line of lines) {
    chunk += line
    if (chunk.length < 65_536) continue
    yield chunk
    chunk = ''
  }
  if (chunk) yield chunk
}

export default vehicleTelemetry
