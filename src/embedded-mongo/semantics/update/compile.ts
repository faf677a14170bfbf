import { CommandError, ErrorCodes, failedToParse } from '../errors.js'
import { compileFilter, matchWithPosition } from '../match/compile.js'
import { describe } from '../match/type-tests.js'
import { compileUpdatePipeline } from '../pipeline/update-stages.js'
import type { CompiledUpdate, Document, UpdateOptions } from '../types.js'
import { equalValues, identicalValues } from '../values/compare.js'
import { getField, setField } from '../values/types.js'
import { applyChange } from './apply.js'
import { parseModifiers } from './modifiers.js'
import { rememberChanges } from './describe-changes.js'
import { documentFromFilter } from './upsert.js'

/**
 * Compiles an update — operators, a replacement or a pipeline — once for a command.
 * @throws CommandError 9 FailedToParse, 2 BadValue, 40, 52 and others for what is no update; `apply` throws
 *   14 TypeMismatch, 28 PathNotViable, 66 ImmutableField and others for what does not suit a document
 */
export function compileUpdate (update: Document | Document[], options: UpdateOptions = {}): CompiledUpdate {
  if (Array.isArray(update)) return compilePipelineUpdate(update, options)
  const [first] = Object.keys(update)
  return first?.startsWith('$') === true ? compileModifiers(update, options) : compileReplacement(update, options)
}

function compileModifiers (update: Document, options: UpdateOptions): CompiledUpdate {
  const changes = parseModifiers(update, options)
  const positional = changes.some(change => change.path.steps.some(step => step.kind === 'matched'))
  const matcher = positional && options.filter !== undefined ? compileFilter(options.filter, options) : undefined
  const touchesId = changes.some(({ path }) => path.text === '_id' || path.text.startsWith('_id.'))

  function apply (doc: Document, isInsert = false): Document {
    const context = {
      before: doc,
      isInsert,
      matchedIndex: () => matcher === undefined || isInsert ? -1 : matchWithPosition(matcher, doc).index
    }
    let after = doc
    for (const change of changes) after = applyChange(after, change, context)
    if (touchesId) after = keepId(doc, after)
    if (after !== doc) rememberChanges(doc, after, changes)
    return after
  }

  return {
    apply,
    isReplacement: false,
    upsertDocument: () => idFirst(apply(documentFromFilter(options.filter ?? {}), true))
  }
}

/** Refuses a changed `_id`; one that is equal but of another type keeps the old type. */
function keepId (before: Document, after: Document): Document {
  const old = getField(before, '_id')
  const next = getField(after, '_id')
  if (old === undefined || old === next) return after
  if (next !== undefined && equalValues(old, next)) return { ...after, _id: old }
  throw new CommandError(ErrorCodes.ImmutableField, "Performing an update on the path '_id' would modify the immutable field '_id'")
}

function idFirst (doc: Document): Document {
  const id = getField(doc, '_id')
  if (id === undefined || Object.keys(doc)[0] === '_id') return doc
  return { _id: id, ...withoutId(doc) }
}

function withoutId (doc: Document): Document {
  const { _id, ...rest } = doc
  return rest
}

function compileReplacement (update: Document, options: UpdateOptions): CompiledUpdate {
  for (const name of Object.keys(update)) {
    if (name.startsWith('$')) {
      throw new CommandError(ErrorCodes.DollarPrefixedFieldName, `The dollar ($) prefixed field '${name}' in '${name}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`)
    }
  }
  if (options.arrayFilters !== undefined && options.arrayFilters.length > 0) throw failedToParse('arrayFilters may not be specified for a replacement-style update')

  function apply (doc: Document): Document {
    const after = replace(getField(doc, '_id'), update)
    return identicalValues(doc, after) ? doc : after
  }

  return {
    apply,
    isReplacement: true,
    upsertDocument: () => replace(getField(documentFromFilter(options.filter ?? {}), '_id'), update)
  }
}

function replace (id: unknown, update: Document): Document {
  const wanted = getField(update, '_id')
  if (id !== undefined && wanted !== undefined && !equalValues(id, wanted)) {
    throw new CommandError(ErrorCodes.ImmutableField, `After applying the update, the (immutable) field '_id' was found to have been altered to _id: ${describe(wanted)}`)
  }
  const kept = id ?? wanted
  const after: Document = kept === undefined ? {} : { _id: kept }
  for (const [name, value] of Object.entries(update)) if (name !== '_id') setField(after, name, value)
  return after
}

function compilePipelineUpdate (stages: Document[], options: UpdateOptions): CompiledUpdate {
  if (options.arrayFilters !== undefined && options.arrayFilters.length > 0) throw failedToParse('arrayFilters may not be specified for a pipeline-syle update')
  const run = compileUpdatePipeline(stages, options)

  function apply (doc: Document): Document {
    const id = getField(doc, '_id')
    const after = run(doc)
    const next = getField(after, '_id')
    if (id !== undefined && (next === undefined || !equalValues(id, next))) {
      throw new CommandError(ErrorCodes.ImmutableField, `After applying the update, the (immutable) field '_id' was found to have been altered to _id: ${describe(next)}`)
    }
    const kept = idFirst(after)
    return identicalValues(doc, kept) ? doc : kept
  }

  return {
    apply,
    isReplacement: false,
    upsertDocument: () => apply(documentFromFilter(options.filter ?? {}))
  }
}
