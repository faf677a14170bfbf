import { CommandError } from '../../errors.js'
import { compileExpression } from '../../expression/compile.js'
import { CURRENT, ROOT, type Evaluate, type Frame } from '../../expression/scope.js'
import type { Document } from '../../types.js'
import { isDocument, setField } from '../../values/types.js'
import { scopeOf, type StageFactory } from '../context.js'
import { PAUSE } from '../flow.js'

const verdicts = { KEEP: Symbol('keep'), PRUNE: Symbol('prune'), DESCEND: Symbol('descend') }

export const redactStage: StageFactory = (spec, context) => {
  const cells = new Map(context.cells)
  for (const [name, value] of Object.entries(verdicts)) cells.set(name, { value })
  const scope = scopeOf({ ...context, cells })
  const evaluate: Evaluate = compileExpression(spec, scope)
  return function * (input) {
    for (const doc of input) {
      if (doc === PAUSE) {
        yield PAUSE
        continue
      }
      const frame: Frame = new Array(scope.counter.slots).fill(undefined)
      frame[ROOT] = doc
      const kept = redact(doc, evaluate, frame)
      if (kept !== undefined) yield kept
    }
  }
}

function redact (doc: Document, evaluate: Evaluate, frame: Frame): Document | undefined {
  frame[CURRENT] = doc
  switch (evaluate(frame)) {
    case verdicts.KEEP: return doc
    case verdicts.PRUNE: return undefined
    case verdicts.DESCEND: break
    default: throw new CommandError(17053, '$redact must resolve to $$DESCEND, $$PRUNE, or $$KEEP')
  }
  const result: Document = {}
  for (const [name, value] of Object.entries(doc)) {
    const kept = redactValue(value, evaluate, frame)
    if (kept !== undefined) setField(result, name, kept)
  }
  return result
}

function redactValue (value: unknown, evaluate: Evaluate, frame: Frame): unknown {
  if (isDocument(value)) return redact(value, evaluate, frame)
  if (Array.isArray(value)) return value.map(item => redactValue(item, evaluate, frame)).filter(item => item !== undefined)
  return value
}
