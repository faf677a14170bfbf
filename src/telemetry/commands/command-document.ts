import { toPublic, type PublicDocument, type StoredDocument } from '../../entities/public-document.js'
import type { Command } from '../../schemas/command.js'

/** Stored fields that are nobody's business. */
export const hiddenFields = ['removeAt'] as const

const hidden = new Set<string>(hiddenFields)

/** A command as `toPublic` leaves it: `params` and `result` still JSON. */
export type FlatCommand = PublicDocument & Record<string, unknown>

/** Unpacks what is stored as JSON. */
export function unpackCommand ({ params, result, ...fields }: FlatCommand): Command {
  return {
    ...fields,
    params: JSON.parse(String(params)) as Command['params'],
    ...(result !== undefined && { result: JSON.parse(String(result)) as unknown })
  } as Command
}

/** A stored command as clients see it. */
export const showCommand = (stored: StoredDocument): Command => unpackCommand(toPublic(stored, hidden))
