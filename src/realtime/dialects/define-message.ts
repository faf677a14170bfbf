import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { PitwallError, type FieldError } from '../../errors.js'
import { hasScope, type Scope } from '../../identity/identity.js'
import { isBound } from '../channels.js'
import type { Connection } from '../connection.js'
import type { Hub } from '../hub.js'

/** A message as it came: an object, nothing more is known. */
export type Incoming = Record<string, unknown>

/** Handles one message; throws PitwallError for a bad one. A promise when the answer takes time. */
export type Handler = (hub: Hub, connection: Connection, message: Incoming, bytes: number) => Promise<void> | undefined

/** Who may send a message: holders of a scope, or `any` credential, where the message's channel decides or nothing is at stake. */
export type MessageScope = Scope | 'any'

/** A handler that says what it takes and from whom. */
export type MessageHandler = Handler & { readonly schema: TSchema, readonly scope: MessageScope }

/**
 * A handler that is only called with what its schema and scope allow. The schema is
 * compiled at its first message.
 */
export function defineMessage<T extends TSchema> (
  schema: T,
  scope: MessageScope,
  handle: (hub: Hub, connection: Connection, message: Static<T>, bytes: number) => Promise<void> | void
): MessageHandler {
  let validator: ReturnType<typeof Compile> | undefined
  const handler: Handler = (hub, connection, message, bytes) => {
    validator ??= Compile(schema)
    if (!validator.Check(message)) throw invalid(validator.Errors(message))
    if (scope !== 'any' && !hasScope(connection.identity, scope)) {
      throw new PitwallError('FORBIDDEN', `This needs the scope ${scope}`)
    }
    if (scope !== 'any' && scope !== 'ingest' && isBound(connection.identity)) {
      throw new PitwallError('FORBIDDEN', 'A key bound to a vehicle or device may only send that one\'s measurements')
    }
    return handle(hub, connection, message as Static<T>, bytes) ?? undefined
  }
  return Object.assign(handler, { schema, scope })
}

function invalid (faults: { instancePath: string, message: string, params: object }[]): PitwallError {
  const errors: FieldError[] = faults.slice(0, 20).map(({ instancePath, message, params }) => {
    const { additionalProperties, requiredProperties } = params as { additionalProperties?: string[], requiredProperties?: string[] }
    const names = requiredProperties ?? additionalProperties
    return { path: instancePath, message: names ? `${message}: ${names.join(', ')}` : message }
  })
  const [first] = errors
  return new PitwallError('VALIDATION_FAILED', first ? `message${first.path} ${first.message}` : 'The message is not valid', { errors })
}
