import type { Document } from '../semantics/index.js'

const documentEvents = new Set(['insert', 'update', 'replace', 'delete'])

/**
 * The collections whose documents' events a change stream's pipeline can let through, or
 * undefined when that may be any. Told from a `$match` in front, so that the changes of
 * other collections need not be made into events first.
 */
export function matchedCollections (stages: readonly Document[]): ReadonlySet<string> | undefined {
  const filter: unknown = stages[0]?.$match
  return isObject(filter) ? collectionsOf(filter) : undefined
}

function collectionsOf (filter: Document): ReadonlySet<string> | undefined {
  if (takesNoDocuments(filter.operationType)) return new Set()
  const named = stringsOf(filter['ns.coll'])
  if (named) return new Set(named)
  if (Array.isArray(filter.$and)) return filter.$and.map((part) => isObject(part) ? collectionsOf(part) : undefined).find(Boolean)
  if (!Array.isArray(filter.$or)) return undefined
  const branches = filter.$or.map((part) => isObject(part) ? collectionsOf(part) : undefined)
  return branches.every((branch) => branch !== undefined) ? new Set(branches.flatMap((branch) => [...branch])) : undefined
}

function takesNoDocuments (condition: unknown): boolean {
  return stringsOf(condition)?.every((type) => !documentEvents.has(type)) ?? false
}

/** The texts that a condition asks for, or undefined when it is another kind of condition. */
function stringsOf (condition: unknown): string[] | undefined {
  if (typeof condition === 'string') return [condition]
  if (!isObject(condition) || Object.keys(condition).length !== 1) return undefined
  const asked: unknown = condition.$in ?? [condition.$eq]
  return Array.isArray(asked) && asked.every((item): item is string => typeof item === 'string') ? asked : undefined
}

function isObject (value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
