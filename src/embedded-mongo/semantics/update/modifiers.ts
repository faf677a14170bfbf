import { badValue, failedToParse } from '../errors.js'
import { compileFilter } from '../match/compile.js'
import { parsePath } from '../paths/walk.js'
import type { Collation, Document, UpdateOptions } from '../types.js'
import { getField, isDocument } from '../values/types.js'
import { addToSetModifier, popModifier, pullAllModifier, pullModifier, pushModifier } from './array-operators.js'
import type { Change } from './apply.js'
import type { Modify } from './context.js'
import { assertOperatorOperand, bitModifier, currentDateModifier, extremeModifier, incModifier, mulModifier, renameTarget, unknownModifier } from './field-operators.js'
import { assertNoConflicts, comparePaths, parseUpdatePath } from './paths.js'

/** Operators that make nothing where there is nothing. */
const passive = new Set(['$unset', '$pop', '$pull', '$pullAll'])

/**
 * Reads a document of update operators into changes, in the order in which they are made.
 * @throws CommandError 9 FailedToParse for an unknown operator, 40 for two changes of one place
 */
export function parseModifiers (update: Document, options: UpdateOptions): Change[] {
  const filters = parseArrayFilters(options)
  const changes: Change[] = []
  for (const [name, operand] of Object.entries(update)) {
    if (!name.startsWith('$') || !operators.has(name)) throw unknownModifier(name)
    assertOperatorOperand(name, operand)
    for (const [path, value] of Object.entries(operand)) changes.push(...parseChange(name, path, value, options, filters))
  }
  assertNoConflicts(changes.map(change => change.path.text))
  checkFilters(changes, filters, update)
  return changes.sort((a, b) => comparePaths(a.path, b.path))
}

const operators = new Set(['$set', '$setOnInsert', '$unset', '$inc', '$mul', '$min', '$max', '$rename', '$currentDate', '$bit', '$push', '$pull', '$pullAll', '$addToSet', '$pop'])

type Filters = Map<string, (element: unknown) => boolean>

function parseChange (name: string, path: string, value: unknown, options: UpdateOptions, filters: Filters): Change[] {
  const parsed = parseUpdatePath(path)
  if (name !== '$rename') return [{ path: parsed, modify: modifierOf(name, path, value, options), creates: !passive.has(name), filters }]
  const target = parseUpdatePath(renameTarget(path, value))
  const source = parsePath(path).parts
  return [
    { path: parsed, modify: () => undefined, creates: false, filters },
    { path: target, modify: (old, { before }) => valueToMove(before, source, path) ?? old, creates: true, filters }
  ]
}

function valueToMove (doc: Document, parts: string[], path: string): unknown {
  let value: unknown = doc
  for (const part of parts) {
    if (Array.isArray(value)) throw badValue(`The source field cannot be an array element, '${path}' in doc has an array field called '${part}'`)
    if (!isDocument(value)) return undefined
    value = getField(value, part)
  }
  return value
}

function modifierOf (name: string, path: string, value: unknown, options: UpdateOptions): Modify {
  const { collation } = options
  switch (name) {
    case '$set': return () => value
    case '$setOnInsert': return (old, { isInsert }) => isInsert ? value : old
    case '$unset': return () => undefined
    case '$inc': return incModifier(path, value)
    case '$mul': return mulModifier(path, value)
    case '$min': return extremeModifier(-1, value, collation)
    case '$max': return extremeModifier(1, value, collation)
    case '$currentDate': return currentDateModifier(path, value, options.now ?? new Date())
    case '$bit': return bitModifier(path, value)
    case '$push': return pushModifier(path, value, collation)
    case '$addToSet': return addToSetModifier(path, value, collation)
    case '$pop': return popModifier(path, value)
    case '$pull': return pullModifier(value, collation)
    default: return pullAllModifier(value, collation)
  }
}

function parseArrayFilters ({ arrayFilters = [], collation }: UpdateOptions): Filters {
  const filters: Filters = new Map()
  for (const filter of arrayFilters) {
    if (!isDocument(filter)) throw failedToParse('Array filters must be documents')
    const identifier = identifierOf(filter)
    if (identifier === undefined) throw failedToParse('Cannot use an expression without a top-level field name in arrayFilters')
    if (!/^[a-z][a-zA-Z0-9]*$/.test(identifier)) throw badValue(`Error parsing array filter :: caused by :: The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '${identifier}'`)
    if (filters.has(identifier)) throw failedToParse(`Found multiple array filters with the same top-level field name ${identifier}`)
    filters.set(identifier, elementMatcher(identifier, filter, collation))
  }
  return filters
}

function elementMatcher (identifier: string, filter: Document, collation: Collation | undefined): (element: unknown) => boolean {
  const matches = compileFilter(filter, { collation })
  return element => matches({ [identifier]: element })
}

/** The first part of the paths in an array filter, which must all agree. */
function identifierOf (filter: Document): string | undefined {
  let identifier: string | undefined
  for (const [name, value] of Object.entries(filter)) {
    const found = name.startsWith('$')
      ? Array.isArray(value) ? value.map(item => isDocument(item) ? identifierOf(item) : undefined).find(item => item !== undefined) : undefined
      : name.split('.')[0]
    if (found === undefined) continue
    if (identifier !== undefined && identifier !== found) {
      throw failedToParse(`Error parsing array filter :: caused by :: Expected a single top-level field name, found '${identifier}' and '${found}'`)
    }
    identifier = found
  }
  return identifier
}

function checkFilters (changes: Change[], filters: Filters, update: Document): void {
  const used = new Set<string>()
  for (const { path } of changes) {
    for (const step of path.steps) {
      if (step.kind !== 'filtered') continue
      if (!filters.has(step.identifier)) throw badValue(`No array filter found for identifier '${step.identifier}' in path '${path.text}'`)
      used.add(step.identifier)
    }
  }
  for (const identifier of filters.keys()) {
    if (!used.has(identifier)) throw failedToParse(`The array filter for identifier '${identifier}' was not used in the update { ${Object.keys(update).join(', ')} }`)
  }
}
