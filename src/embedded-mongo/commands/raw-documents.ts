import { deserialize } from 'bson'
import { CommandError, ErrorCodes } from '../semantics/index.js'
import type { CommandContext } from './context.js'

/** A command's list of documents as bytes: from a document sequence, or from an array in the body. */
export function rawDocuments (context: CommandContext, name: string): Buffer[] {
  const sequence = context.sequences.get(name)
  if (sequence !== undefined) return sequence
  if (!Array.isArray(context.body[name])) {
    throw new CommandError(40414, `BSON field '${context.name}.${name}' is missing but a required field`)
  }
  const list = (deserialize(context.raw, { fieldsAsRaw: { [name]: true } })[name]) as unknown[]
  return list.map(item => {
    if (!(item instanceof Uint8Array)) throw new CommandError(ErrorCodes.TypeMismatch, `BSON field '${context.name}.${name}' must be an array of objects`)
    return Buffer.from(item.buffer, item.byteOffset, item.byteLength)
  })
}
