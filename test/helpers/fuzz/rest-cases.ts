import fc, { type Arbitrary } from 'fast-check'
import { Agent, request as httpRequest } from 'node:http'
import { Compile } from 'typebox/compile'
import { Problem } from '../../../src/schemas/envelope.js'
import { closeSchema } from '../documented-socket.js'
import { mutations, spoil, spoiling, writeMutated, type Mutation, type Spoiling } from './mutations.js'
import { arbitraryOf, type JsonSchema } from './schema-arbitrary.js'
import type { Party } from './world.js'

interface Parameter { in: string, name: string, required?: boolean, schema: JsonSchema }
interface Operation { parameters?: Parameter[], requestBody?: { content: Record<string, { schema: JsonSchema }> }, responses: Record<string, { content?: Record<string, { schema: JsonSchema }> }> }
export interface OpenApi { paths: Record<string, Record<string, Operation>> }

/** One made-up request. */
export interface RestCase { party: Party, route: string, method: string, path: string, headers: Record<string, string>, body: unknown, mutations: Mutation[], spoiling: Spoiling, text?: string }
export interface RestReply { status: number, type: string, text: string }

const badSegments = ['..%2f..%2fpackage.json', '%2e%2e', '%00', 'a%00b', 'a%5cb', '%0d%0aSet-Cookie:%20a=b', '%c0%ae', '%zz', '__proto__', 'constructor', '%24ne', 'x'.repeat(120), 'x'.repeat(600), '%F0%9F%A6%8A', '.', ';', '%2f']
const badQueries = ['__proto__=1', 'constructor=1', 'name[$ne]=1', 'filter[$where]=1', 'limit=1&limit=2', 'limit=1e9', 'limit=-1', 'cursor=eyJzIjoiLWNyZWF0ZWRBdCIsInYiOnsiJGd0IjowfSwiaSI6IngifQ', 'sort=$where', 'sort=-_id', 'filter={"$where":"1"}', 'filter=%7B%22a%22%3A%7B%22%24regex%22%3A%22(a%2B)%2B%24%22%7D%7D', 'a=%', 'x=%00', 'from=9e99', 'points=100000', '']
const extraHeaders: Record<string, string>[] = [{ 'if-match': '"x"' }, { 'if-match': '*' }, { 'idempotency-key': 'fuzz' }, { 'idempotency-key': '' }, { upgrade: 'websocket' }, { 'x-http-method-override': 'DELETE' }, { 'content-encoding': 'gzip' }, { accept: 'text/html' }, { 'x-forwarded-for': '10.0.0.1, evil' }, { 'transfer-encoding': 'chunked' }]
const types = ['text/plain', 'application/x-ndjson', 'text/csv', 'application/xml', 'application/json; charset=utf-16']
const lines = ['ts,speed\n1,2\n', 'ts,__proto__\n1,2\n', 'ts,speed\n"1', '{"ts":1,"values":{"speed":1}}\n{"values":{"__proto__":1}}\n', 'ts\n', ',,,\n', '\n\n', 'ts,a,a\n1,=1+1,"@x"\n', '{"ts":1e999,"values":{}}\n']

/** Null, and one time in so many something else. */
const sometimes = <T>(one: number, arbitrary: Arbitrary<T>) => fc.oneof({ weight: one - 1, arbitrary: fc.constant(null) }, { weight: 1, arbitrary })

/** Somebody, each as often as their weight says. */
export const anyParty = (parties: readonly Party[]): Arbitrary<Party> => fc.oneof(...parties.map((party) => ({ weight: party.weight, arbitrary: fc.constant(party) })))

/** Every documented route and method, each with what fits it and what does not. */
export function restCases (document: OpenApi, parties: readonly Party[], targets: readonly string[]): Arbitrary<RestCase> {
  const operations = Object.entries(document.paths).flatMap(([route, methods]) => Object.entries(methods).map(([method, operation]) => ({ route, method: method.toUpperCase(), operation })))
  return fc.tuple(fc.constantFrom(...operations), anyParty(parties)).chain(([{ route, method, operation }, party]) => {
    const parameters = operation.parameters ?? []
    const some = (place: string) => fc.record(Object.fromEntries(parameters.filter((one) => one.in === place).map(({ name, schema }) => [name, arbitraryOf(schema, party.words).map(String)])), place === 'path' ? {} : { requiredKeys: parameters.filter(({ required }) => required).map(({ name }) => name).filter((name) => parameters.some((one) => one.in === place && one.name === name)) })
    const schema = operation.requestBody?.content['application/json']?.schema ?? Object.values(operation.requestBody?.content ?? {})[0]?.schema
    const folder = `${route.split('/{')[0]}/`.replace('/api/users/', '/api/user/')
    const names = [...targets, ...party.tempting].filter((path) => path.startsWith(folder)).map((path) => path.slice(folder.length))
    return fc.record({
      path: some('path'),
      name: names.length > 0 ? fc.option(fc.constantFrom(...names), { freq: 2 }) : fc.constant(null),
      badPath: sometimes(10, fc.constantFrom(...badSegments)),
      query: some('query'),
      badQuery: sometimes(8, fc.constantFrom(...badQueries)),
      otherMethod: sometimes(20, fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD')),
      extra: sometimes(6, fc.constantFrom(...extraHeaders)),
      type: sometimes(7, fc.constantFrom(...types)),
      body: schema ? arbitraryOf(schema, party.words) : fc.constant(undefined),
      mutations,
      spoiling,
      lines: fc.constantFrom(...lines)
    }).map(({ path, name, badPath, query, badQuery, otherMethod, extra, type: given, body, mutations, spoiling, lines }): RestCase => {
      const type = given ?? 'application/json'
      const filled = route.replace(/\{(\w+)\}/g, (_, parameter: string) => badPath ?? encodeURIComponent(name ?? String((path as Record<string, string>)[parameter])))
      const search = [new URLSearchParams(query as Record<string, string>).toString(), badQuery].filter(Boolean).join('&')
      const hasBody = body !== undefined && !['GET', 'HEAD', 'OPTIONS'].includes(otherMethod ?? method)
      return {
        party,
        route,
        method: otherMethod ?? method,
        path: `${filled}${search && `?${search}`}`,
        mutations,
        spoiling,
        body: hasBody ? body : undefined,
        headers: { ...party.headers, ...extra, ...(hasBody && { 'content-type': type }) },
        ...(hasBody && (type.includes('ndjson') || type.includes('csv')) && { text: lines })
      }
    })
  })
}

const agent = new Agent({ keepAlive: true, maxSockets: 8 })

/** Sends a case. Null when the server ended the connection over a body it would not read. */
export async function sendCase (url: string, { method, path, headers, body, mutations, spoiling, text }: RestCase): Promise<RestReply | null> {
  const bytes = body === undefined ? undefined : spoil(text ?? writeMutated(body, mutations), spoiling)
  // What the client library itself would not send goes out encoded.
  const target = path.replace(/[^\x21-\x7e]/g, encodeURIComponent)
  return await new Promise((resolve, reject) => {
    const request = httpRequest(url + target, { agent, method, path: target, headers: { ...headers, ...(bytes && !headers['transfer-encoding'] && { 'content-length': bytes.length }) } }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text: Buffer.concat(chunks).toString() }))
    })
    request.on('upgrade', (_response, socket) => { socket.destroy(); reject(new Error('upgraded an ordinary request')) })
    request.on('error', (error: NodeJS.ErrnoException) => spoiling === 'huge' && ['ECONNRESET', 'EPIPE'].includes(error.code ?? '') ? resolve(null) : reject(error))
    request.end(bytes)
  })
}

/** Says what is wrong with replies, by the document; undefined when all is well. */
export function createJudge (document: OpenApi) {
  const problem = Compile(Problem)
  const checks = new Map<string, { Check (value: unknown): boolean, Errors (value: unknown): object[] }>()
  const checkOf = (route: string, method: string, status: number) => {
    const schema = document.paths[route]?.[method.toLowerCase()]?.responses[status]?.content?.['application/json']?.schema
    const name = `${method} ${route} ${status}`
    if (schema && !checks.has(name)) checks.set(name, Compile(closeSchema(schema)))
    return checks.get(name)
  }
  return ({ party, route, method }: RestCase, { status, type, text }: RestReply): string | undefined => {
    const leaked = party.hidden.find((mark) => text.includes(mark))
    if (leaked !== undefined) return `shows ${leaked} to ${party.name}`
    if (status >= 500) return `answers ${status}: ${text.slice(0, 300)}`
    if (method === 'HEAD' || status === 204 || text === '') return undefined
    if (status >= 400) {
      if (!type.startsWith('application/problem+json')) return `answers ${status} as ${type}: ${text.slice(0, 200)}`
      return problem.Check(JSON.parse(text)) ? undefined : `answers with what is no problem document: ${text.slice(0, 300)}`
    }
    if (!type.startsWith('application/json')) return undefined
    const check = checkOf(route, method, status)
    const value: unknown = JSON.parse(text)
    return !check || check.Check(value) ? undefined : `answers otherwise than documented: ${JSON.stringify(check.Errors(value).slice(0, 3))} ${text.slice(0, 300)}`
  }
}
