import { Compile } from 'typebox/compile'
import type { AsyncApiDocument } from '../../src/documentation/asyncapi.js'

export interface Example { payload: Record<string, unknown> }
interface Ref { $ref: string }
interface Operation { action: 'send' | 'receive', channel: Ref, messages: Ref[], reply?: { messages: Ref[] }, 'x-needs'?: string }

/** The document as a client reads it: JSON. */
export interface ReadDocument extends Pick<AsyncApiDocument, 'asyncapi' | 'servers' | 'x-channels' | 'x-reserved-types' | 'x-close-codes' | 'x-limits'> {
  channels: Record<'plain' | 'pitwallV1', { address: string, messages: Record<string, Ref> }>
  operations: Record<string, Operation>
  components: { messages: Record<string, { payload: Record<string, unknown>, examples: Example[] }>, schemas: Record<string, object> }
}

export type Dialect = keyof ReadDocument['channels']

/** Name of a component that a reference points to. */
export const nameOf = ({ $ref }: Ref): string => $ref.split('/').at(-1) ?? ''

/**
 * A schema that admits no property it does not name, where it is silent about others: the
 * document leaves clients open to new fields, the tests want every one documented.
 */
export function closeSchema (schema: unknown): object {
  if (Array.isArray(schema)) return schema.map(closeSchema)
  if (typeof schema !== 'object' || schema === null) return schema as unknown as object
  const closed = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closeSchema(value)]))
  return 'properties' in schema && !('additionalProperties' in schema) ? { ...closed, additionalProperties: false } : closed
}

/** What a message that the server sent may be, by the document: names of the schemas it satisfies. */
export function createReader (document: ReadDocument, dialect: Dialect) {
  const sent = new Set(Object.values(document.operations)
    .filter(({ channel }) => nameOf(channel) === dialect)
    .flatMap(({ action, messages, reply }) => [...action === 'send' ? messages : [], ...reply?.messages ?? []].map(nameOf)))
  const checks = [...sent].map((name) => [name, Compile(closeSchema(document.components.messages[name]?.payload))] as const)
  return {
    /** Names of all messages the server sends in this dialect. */
    names: [...sent].sort(),
    /** A TMD may look like anything, so it is only what nothing else is. */
    identify (message: unknown): string | undefined {
      const found = checks.filter(([, check]) => check.Check(message)).map(([name]) => name)
      return found.find((name) => name !== 'TypeMessageDataEnvelope') ?? found[0]
    }
  }
}

/** Receive operations of a dialect: what its clients may send. */
export const requestsOf = (document: ReadDocument, dialect: Dialect) => Object.entries(document.operations)
  .filter(([, { action, channel }]) => action === 'receive' && nameOf(channel) === dialect)
  .map(([name, { messages: [message], reply, 'x-needs': needs = '' }]) => {
    const component = message ? nameOf(message) : ''
    return { name, component, needs, replies: reply?.messages.map(nameOf) ?? [], examples: document.components.messages[component]?.examples ?? [] }
  })
