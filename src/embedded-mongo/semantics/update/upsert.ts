import { CommandError } from '../errors.js'
import { isOperatorDocument } from '../match/compile.js'
import { isRegex } from '../match/regex.js'
import type { Document } from '../types.js'
import { isDocument, setField } from '../values/types.js'

/**
 * The document an upsert starts from: the fields that the query fixes by equality, alone or within `$and`
 * (and `$or`, `$in`, `$all` of one).
 * @throws CommandError 54 NotSingleValueField if the query fixes a field twice
 */
export function documentFromFilter (filter: Document): Document {
  const equalities = new Map<string, unknown>()
  collectEqualities(filter, equalities)
  const doc: Document = {}
  for (const [path, value] of equalities) setPath(doc, path, value)
  return doc
}

function collectEqualities (filter: Document, into: Map<string, unknown>): void {
  for (const [name, value] of Object.entries(filter)) {
    if (name === '$and' && Array.isArray(value)) {
      for (const item of value as unknown[]) if (isDocument(item)) collectEqualities(item, into)
    } else if (name === '$or' && Array.isArray(value) && value.length === 1 && isDocument(value[0])) {
      collectEqualities(value[0], into)
    } else if (!name.startsWith('$')) {
      collectField(name, value, into)
    }
  }
}

function collectField (path: string, value: unknown, into: Map<string, unknown>): void {
  if (isRegex(value)) return
  if (!isOperatorDocument(value)) return addEquality(path, value, into)
  if ('$eq' in value) addEquality(path, value.$eq, into)
  for (const name of ['$in', '$all']) {
    const list = value[name]
    if (Array.isArray(list) && list.length === 1 && !isRegex(list[0]) && !(isDocument(list[0]) && '$elemMatch' in list[0])) addEquality(path, list[0], into)
  }
}

function addEquality (path: string, value: unknown, into: Map<string, unknown>): void {
  for (const other of into.keys()) {
    if (other === path || other.startsWith(`${path}.`) || path.startsWith(`${other}.`)) {
      throw new CommandError(54, `cannot infer query fields to set, ${other === path ? `path '${path}' is matched twice` : `both paths '${other}' and '${path}' are matched`}`)
    }
  }
  into.set(path, value)
}

function setPath (doc: Document, path: string, value: unknown): void {
  const parts = path.split('.')
  let target = doc
  for (const part of parts.slice(0, -1)) {
    const next = Object.hasOwn(target, part) ? target[part] : undefined
    const inner: Document = isDocument(next) ? next : {}
    if (next !== inner) setField(target, part, inner)
    target = inner
  }
  setField(target, parts.at(-1) ?? '', value)
}
