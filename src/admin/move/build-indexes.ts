import { isDeepStrictEqual } from 'node:util'
import mongoose, { type mongo } from 'mongoose'
import { AdminError } from '../admin-error.js'
import type { Move } from './move-context.js'
import { formatNamespace } from './namespace.js'

const { Int32, Double, Long, Decimal128 } = mongoose.mongo.BSON

type IndexSpec = mongo.BSON.Document
type Choice = (spec: IndexSpec) => boolean

export const isTtl: Choice = spec => spec.expireAfterSeconds !== undefined
export const isOrdinary: Choice = spec => !isTtl(spec)

/** What servers add by themselves. */
const OWN_FIELDS = new Set(['v', 'ns', 'background', 'textIndexVersion', '2dsphereIndexVersion'])

/**
 * Makes the chosen indexes of the target those of the source; others of the target's indexes go. While the source
 * still changes, a unique one that does not fit the documents of this moment is left for the last run.
 * @throws AdminError
 */
export async function buildIndexes (move: Move, isChosen: Choice): Promise<void> {
  const { source, target, progress, line } = move
  for (const { spec: collection, state } of [...progress.collections.values()]) {
    if (collection.kind === 'view' || state !== 'copied') continue
    move.checkInterrupt()
    const wanted = await source.indexes(collection)
    const present = await target.indexes(collection)
    for (const index of present) {
      if (!wanted.some(spec => sameIndex(spec, index))) await target.dropIndex(collection, index.name as string)
    }
    for (const spec of wanted.filter(isChosen)) {
      if (present.some(index => sameIndex(spec, index))) continue
      line.show(() => `building the index ${String(spec.name)} of ${formatNamespace(collection)}`)
      if (!await target.createIndex(collection, spec) && move.isFinal) {
        throw new AdminError(`target: documents of ${formatNamespace(collection)} do not fit its unique index ${String(spec.name)}`)
      }
    }
  }
}

/** Drops the indexes by which the target would delete documents on its own. */
export async function dropTtlIndexes ({ target, progress }: Move): Promise<void> {
  for (const { spec } of progress.collections.values()) {
    if (spec.kind === 'view') continue
    for (const index of await target.indexes(spec)) if (isTtl(index)) await target.dropIndex(spec, index.name as string)
  }
}

/** @throws AdminError naming the first index that is missing or different */
export async function verifyIndexes ({ source, target, progress }: Move): Promise<void> {
  for (const { spec } of progress.collections.values()) {
    if (spec.kind === 'view') continue
    const present = await target.indexes(spec)
    for (const index of await source.indexes(spec)) {
      if (!present.some(other => sameIndex(index, other))) throw new AdminError(`target: the index ${String(index.name)} of ${formatNamespace(target.placeOf(spec))} is not as in the source`)
    }
  }
}

/** True if an index has everything that a specification asks for; servers add defaults to what was asked. */
function sameIndex (spec: IndexSpec, index: IndexSpec): boolean {
  if (spec.name !== index.name || !isDeepStrictEqual(pairs(spec.key), pairs(index.key))) return false
  const names = new Set([...Object.keys(spec), ...Object.keys(index)].filter(name => !OWN_FIELDS.has(name) && name !== 'key'))
  return [...names].every(name => name === 'collation'
    ? Object.entries(spec.collation as object ?? {}).every(([option, value]) => isDeepStrictEqual(plain(value), plain((index.collation as IndexSpec | undefined)?.[option])))
    : isDeepStrictEqual(plain(spec[name]) ?? false, plain(index[name]) ?? false))
}

const pairs = (key: unknown): unknown => Object.entries(key as object).map(([path, direction]) => [path, plain(direction)])

/** A value with its numbers as JavaScript's: an option means the same as int and as double. */
function plain (value: unknown): unknown {
  if (value instanceof Int32 || value instanceof Double) return value.value
  if (value instanceof Long) return value.toNumber()
  if (value instanceof Decimal128) return Number(value.toString())
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null || '_bsontype' in value) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]))
}
