import { CommandError } from '../../errors.js'
import { wrapInteger } from '../../values/arithmetic.js'
import { isDocument, isNumeric } from '../../values/types.js'
import { toInteger } from '../../values/numbers.js'
import { compileExpression, evaluateConstant } from '../../expression/compile.js'
import type { Document } from '../../types.js'
import { scopeOf, type StageFactory } from '../context.js'
import { paced, PAUSE } from '../flow.js'
import { groupStage } from './group.js'
import { sortDocuments } from './sort.js'

export const countStage: StageFactory = spec => {
  if (typeof spec !== 'string') throw new CommandError(40156, 'the count field must be a non-empty string')
  if (spec === '') throw new CommandError(40156, 'the count field must be a non-empty string')
  if (spec.startsWith('$')) throw new CommandError(40158, 'the count field cannot be a $-prefixed path')
  if (spec.includes('.')) throw new CommandError(40160, "the count field cannot contain '.'")
  return function * (input) {
    let count = 0
    for (const item of input) {
      if (item === PAUSE) yield PAUSE
      else count += 1
    }
    if (count > 0) yield { [spec]: wrapInteger(count) }
  }
}

export const sortByCountStage: StageFactory = (spec, context) => {
  const valid = isDocument(spec) ? Object.keys(spec)[0]?.startsWith('$') === true : typeof spec === 'string'
  if (!valid) throw new CommandError(isDocument(spec) ? 40147 : 40149, 'the sortByCount field must be defined as a $-prefixed path or an expression inside an object')
  if (typeof spec === 'string' && !spec.startsWith('$')) throw new CommandError(40148, 'the sortByCount field must be defined as a $-prefixed path or an expression inside an object')
  const group = groupStage({ _id: spec, count: { $sum: 1 } }, context)
  return input => sortDocuments(group(input), { count: -1 }, { ...context, options: { ...context.options, collation: undefined } }, context.wanted)
}

export const sampleStage: StageFactory = (spec, { pace }) => {
  if (!isDocument(spec)) throw new CommandError(28745, 'the $sample stage specification must be an object')
  const size = isNumeric(spec.size) ? toInteger(spec.size) : undefined
  if (size === undefined) throw new CommandError(28746, 'size argument to $sample must be a number')
  if (size <= 0) throw new CommandError(28747, 'size argument to $sample must be a positive integer')
  return function * (input) {
    // Reservoir sampling: every document has the same chance, in one pass.
    const kept: Document[] = []
    let seen = 0
    for (const doc of input) {
      if (doc === PAUSE) {
        yield PAUSE
        continue
      }
      seen += 1
      if (kept.length < size) kept.push(doc)
      else {
        const place = Math.floor(Math.random() * seen)
        if (place < size) kept[place] = doc
      }
    }
    for (let i = kept.length - 1; i > 0; i--) {
      const other = Math.floor(Math.random() * (i + 1))
      const [a, b] = [kept[i], kept[other]]
      if (a !== undefined && b !== undefined) [kept[i], kept[other]] = [b, a]
    }
    yield * paced(kept, pace)
  }
}

export const documentsStage: StageFactory = (spec, context) => {
  const scope = scopeOf(context)
  compileExpression(spec, scope)
  return function * () {
    const documents = evaluateConstant(spec, scope)
    if (!Array.isArray(documents)) throw new CommandError(5858203, 'an array is expected')
    for (const doc of documents as unknown[]) {
      if (!isDocument(doc)) throw new CommandError(40228, "'replacement document' expression must evaluate to an object")
      yield doc
    }
  }
}
