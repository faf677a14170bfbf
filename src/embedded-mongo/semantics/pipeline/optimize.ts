import { truthy } from '../match/truth.js'
import type { Document } from '../types.js'
import { toInteger } from '../values/numbers.js'
import { isDocument, isNumeric } from '../values/types.js'

/** Stages that make one document of each: how many come next to them can be settled before them. */
const MAPPING = new Set(['$project', '$addFields', '$set', '$unset', '$replaceRoot', '$replaceWith', '$lookup', '$graphLookup'])

/**
 * The same pipeline with `$match` before stages that leave its fields alone, and `$skip` and `$limit` before those that
 * make one document of each: so that more of it is for an index to decide, and less is read.
 */
export function optimizePipeline (pipeline: Document[]): Document[] {
  const stages = [...pipeline]
  for (let i = 1; i < stages.length; i++) {
    for (let at = i; at > 0 && maySwap(stages[at - 1]!, stages[at]!); at--) [stages[at - 1], stages[at]] = [stages[at]!, stages[at - 1]!]
  }
  return stages
}

/** How many documents the stages from `at` on ask for, at most; Infinity if all. */
export function countWanted (pipeline: unknown[], at: number): number {
  let skipped = 0
  for (const stage of pipeline.slice(at)) {
    const [name, spec] = isDocument(stage) ? Object.entries(stage)[0] ?? [] : []
    const count = isNumeric(spec) ? toInteger(spec) ?? Infinity : Infinity
    if (name === '$limit') return skipped + Math.max(count, 1)
    if (name === '$skip') skipped += count
    else if (name === undefined || !MAPPING.has(name)) break
  }
  return Infinity
}

function maySwap (first: Document, second: Document): boolean {
  const [name] = Object.keys(first)
  const [next] = Object.keys(second)
  if (name === undefined || Object.keys(first).length !== 1 || Object.keys(second).length !== 1) return false
  if (next === '$limit' || next === '$skip') return MAPPING.has(name)
  if (next !== '$match' || !isDocument(second.$match)) return false
  if (name === '$sort') return true
  const fields = new Set<string>()
  const leaves = leavesAlone(name, first[name])
  return leaves !== undefined && addFilterFields(second.$match, fields) && [...fields].every(leaves)
}

function topOf (path: string): string {
  return path.split('.', 1)[0]!
}

/** Adds the top-level fields that a filter looks at; false if it looks at the document in other ways. */
function addFilterFields (filter: Document, fields: Set<string>): boolean {
  return Object.entries(filter).every(([name, value]) => {
    if (name === '$and' || name === '$or' || name === '$nor') return Array.isArray(value) && value.every(part => isDocument(part) && addFilterFields(part, fields))
    if (name.startsWith('$')) return name === '$comment'
    fields.add(topOf(name))
    return true
  })
}

/** Tells which top-level fields a stage hands on as they are, for stages that can be told from. */
function leavesAlone (name: string, spec: unknown): ((field: string) => boolean) | undefined {
  switch (name) {
    case '$addFields':
    case '$set': return isDocument(spec) ? allBut(Object.keys(spec)) : undefined
    case '$unset': return typeof spec === 'string' ? allBut([spec]) : Array.isArray(spec) ? allBut(spec.map(String)) : undefined
    case '$project': return isDocument(spec) ? afterProject(spec) : undefined
    case '$unwind': {
      const { path, includeArrayIndex = '' } = isDocument(spec) ? spec : { path: spec }
      return typeof path === 'string' && typeof includeArrayIndex === 'string' ? allBut([path.slice(1), includeArrayIndex]) : undefined
    }
    case '$lookup':
    case '$graphLookup': return isDocument(spec) && typeof spec.as === 'string' ? allBut([spec.as]) : undefined
    default: return undefined
  }
}

function allBut (paths: string[]): (field: string) => boolean {
  const touched = new Set(paths.map(topOf))
  return field => !touched.has(field)
}

function afterProject (spec: Document): ((field: string) => boolean) | undefined {
  const fields = Object.entries(spec)
  if (!fields.every(([, value]) => typeof value === 'boolean' || isNumeric(value))) return undefined
  const isExclusion = fields.every(([name, value]) => name === '_id' || !truthy(value)) && (fields.length > 1 || !truthy(fields[0]?.[1]))
  if (isExclusion) return allBut(fields.filter(([, value]) => !truthy(value)).map(([name]) => name))
  const kept = new Set(fields.filter(([name, value]) => truthy(value) && !name.includes('.')).map(([name]) => name))
  if (!('_id' in spec)) kept.add('_id')
  return field => kept.has(field)
}
