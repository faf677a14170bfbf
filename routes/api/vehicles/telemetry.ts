import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Readable } from 'node:stream'
import { Type } from 'typebox'
import { identityOf } from '../../../plugins/route-scope.js'
import { IdParams } from '../../../src/schemas/atoms.js'
import { BulkVerdict, Success } from '../../../src/schemas/envelope.js'
import { HistoryQuerySchema, HistorySchema, MAX_SAMPLES } from '../../../src/schemas/telemetry.js'
import { formatCsv, parseCsv } from '../../../src/telemetry/csv.js'
import { formatNdjson, parseNdjson } from '../../../src/telemetry/ndjson.js'

const tags = ['telemetry']
const exportTypes = { csv: 'text/csv; charset=utf-8', ndjson: 'application/x-ndjson; charset=utf-8' } as const

/** History of one vehicle, out and in. */
const vehicleTelemetry: FastifyPluginAsyncTypebox = async (app) => {
  const { telemetry } = app

  app.addTextParser(['application/x-ndjson', 'application/ndjson'], (text) => parseNdjson(text, app.config.inputLimits))
  app.addTextParser(['text/csv'], parseCsv)

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
            'application/x-ndjson': { schema: Type.String() }
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
      summary: 'Send samples of a vehicle, as JSON, NDJSON or CSV',
      tags,
      params: IdParams,
      // Judged one by one, so that one bad sample does not refuse the others.
      body: Type.Array(Type.Unknown(), { maxItems: MAX_SAMPLES, description: 'Samples {ts?, values}' }),
      response: { 200: Success(BulkVerdict) }
    }
  }, async (request) => ({
    success: true as const,
    data: await telemetry.ingestSamples(identityOf(request), request.params.id, request.body)
  }))
}

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
