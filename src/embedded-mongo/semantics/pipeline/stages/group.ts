import { CommandError } from '../../errors.js'
import { compileAccumulator, type Accumulator, type AccumulatorSpec } from '../../expression/accumulators.js'
import { compileExpression } from '../../expression/compile.js'
import { CURRENT, ROOT, type Evaluate, type Frame, type Scope } from '../../expression/scope.js'
import { encodeKeyText } from '../../index-keys/encode-key.js'
import type { Collation, Document } from '../../types.js'
import { isDocument, setField } from '../../values/types.js'
import { scopeOf, type StageFactory } from '../context.js'
import { PAUSE, type Item, type Pause } from '../flow.js'

export interface GroupField { name: string, spec: AccumulatorSpec }

/** Reads `{ field: { $accumulator: expression } }`. */
export function parseAccumulators (fields: Document, scope: Scope): GroupField[] {
  return Object.entries(fields).map(([name, value]) => {
    if (name.includes('.')) throw new CommandError(40235, `The field name '${name}' cannot contain '.'`)
    if (name.startsWith('$')) throw new CommandError(40236, `The field name '${name}' cannot be an operator name`)
    if (!isDocument(value)) throw new CommandError(40234, `The field '${name}' must be an accumulator object`)
    const [operator] = Object.keys(value)
    if (operator === undefined || Object.keys(value).length !== 1) throw new CommandError(40238, `The field '${name}' must specify one accumulator`)
    return { name, spec: compileAccumulator(operator, value[operator], scope) }
  })
}

/** Equal values give equal strings; short for the common kinds. */
export function groupKey (value: unknown, collation: Collation | undefined): string {
  if (typeof value === 'string' && collation === undefined) return `"${value}`
  return encodeKeyText(value, collation)
}

interface Group { id: unknown, states: Accumulator[] }

/** Groups documents: what `$group`, `$bucket` and others do with a key of their own. */
export function * groupDocuments (input: Iterable<Item>, key: Evaluate, fields: GroupField[], scope: Scope): Generator<Pause, Map<string, Group>> {
  const groups = new Map<string, Group>()
  const frame: Frame = new Array(scope.counter.slots).fill(undefined)
  for (const doc of input) {
    if (doc === PAUSE) {
      yield PAUSE
      continue
    }
    frame[ROOT] = doc
    frame[CURRENT] = doc
    const id = key(frame) ?? null
    const text = groupKey(id, scope.collation)
    let group = groups.get(text)
    if (group === undefined) {
      group = { id, states: fields.map(({ spec }) => spec.create()) }
      groups.set(text, group)
    }
    for (let i = 0; i < fields.length; i++) {
      frame[CURRENT] = doc
      group.states[i]?.add(fields[i]?.spec.input(frame), frame)
    }
  }
  return groups
}

export function groupResult (group: Group, fields: GroupField[]): Document {
  const result: Document = { _id: group.id }
  fields.forEach(({ name }, index) => { setField(result, name, group.states[index]?.result() ?? null) })
  return result
}

export const groupStage: StageFactory = (spec, context) => {
  if (!isDocument(spec)) throw new CommandError(15947, "a group's fields must be specified in an object")
  if (!('_id' in spec)) throw new CommandError(15955, 'a group specification must include an _id')
  const scope = scopeOf(context)
  const key = compileExpression(spec._id, scope)
  const { _id, ...accumulators } = spec
  const fields = parseAccumulators(accumulators, scope)
  return function * (input) {
    const groups = yield * groupDocuments(input, key, fields, scope)
    for (const group of groups.values()) {
      if (context.pace.isOver()) yield PAUSE
      yield groupResult(group, fields)
    }
  }
}
