import { Double, Int32 } from 'bson'
import { CommandError, failedToParse } from '../../errors.js'
import { compileAccumulator, isAccumulator } from '../../expression/accumulators.js'
import { compileExpression, evaluateConstant } from '../../expression/compile.js'
import { CURRENT, onDocument, ROOT, type Frame } from '../../expression/scope.js'
import { parsePath } from '../../paths/walk.js'
import { compileSort, sortKey } from '../../sort.js'
import type { Document } from '../../types.js'
import { add, divide, multiply, numericTypeOf, subtract, wrapInteger } from '../../values/arithmetic.js'
import { toInteger, toNumber } from '../../values/numbers.js'
import { isDocument, isNumeric, typeNameOf } from '../../values/types.js'
import { parseUnit } from '../../expression/operators/date-units.js'
import { scopeOf, type StageContext } from '../context.js'
import { mapPaced, type Pause } from '../flow.js'
import { parseWindow, type WindowBounds } from './window-bounds.js'

/** Computes one output for every document of a sorted partition, giving way meanwhile. */
export type WindowFunction = (documents: Document[]) => Generator<Pause, unknown[]>

interface Request { name: string, operand: unknown, window: unknown, sortBy: Document | undefined, context: StageContext }

const special: Record<string, (request: Request) => WindowFunction> = {
  $rank: request => ranking(request, 'rank'),
  $denseRank: request => ranking(request, 'dense'),
  $documentNumber: request => ranking(request, 'number'),
  $shift: shifting,
  $expMovingAvg: movingAverage,
  $derivative: derivative,
  $integral: integral,
  $covariancePop: request => covariance(request, false),
  $covarianceSamp: request => covariance(request, true),
  $locf: lastObserved,
  $linearFill: linearFill
}

/** @throws CommandError 9 FailedToParse for what is no window function */
export function compileWindowFunction (spec: unknown, sortBy: Document | undefined, context: StageContext): WindowFunction {
  if (!isDocument(spec)) throw failedToParse('The field output must be an object')
  const names = Object.keys(spec).filter(key => key !== 'window')
  const [name] = names
  if (name === undefined || names.length !== 1) throw failedToParse(`Expected exactly one window function, found ${names.length}`)
  const request: Request = { name, operand: spec[name], window: spec.window, sortBy, context }
  const own = special[name]
  if (own !== undefined) return own(request)
  if (!isAccumulator(name)) throw failedToParse(`Unrecognized window function, ${name}`)
  return accumulating(request, parseWindow(spec.window, sortBy))
}

function accumulating ({ name, operand, context }: Request, bounds: WindowBounds): WindowFunction {
  const scope = scopeOf(context)
  const { input, create } = compileAccumulator(name, operand, scope)
  return function * (documents) {
    const frame: Frame = new Array(scope.counter.slots).fill(undefined)
    let state = create()
    const feed = (doc: Document | undefined) => {
      frame[ROOT] = doc
      frame[CURRENT] = doc
      state.add(input(frame), frame)
    }
    if (bounds.whole) {
      yield * mapPaced(documents, context.pace, feed)
      const result = state.result()
      return documents.map(() => result)
    }
    let fed = 0
    return yield * mapPaced(yield * bounds.ranges(documents, context.pace), context.pace, ([from, to]) => {
      if (!bounds.fromStart) {
        state = create()
        fed = from
      }
      while (fed <= to) feed(documents[fed++])
      return state.result()
    })
  }
}

function needSort ({ name, sortBy }: Request): Document {
  if (sortBy === undefined) throw new CommandError(5371602, `${name} must be specified with a top level sortBy expression with exactly one element`)
  return sortBy
}

function sortValues (request: Request, documents: Document[]): Generator<Pause, unknown[]> {
  const path = parsePath(Object.keys(needSort(request))[0] ?? '')
  return mapPaced(documents, request.context.pace, doc => sortKey(doc, path, 1))
}

function ranking (request: Request, kind: 'rank' | 'dense' | 'number'): WindowFunction {
  if (request.window !== undefined) throw new CommandError(5371601, 'Rank style window functions take no other arguments')
  const sortBy = needSort(request)
  const compare = compileSort(sortBy, { collation: request.context.options.collation })
  return documents => {
    let rank = 0
    return mapPaced(documents, request.context.pace, (doc, index) => {
      const previous = documents[index - 1]
      const tied = previous !== undefined && compare(previous, doc) === 0
      if (kind === 'number') rank = index + 1
      else if (!tied) rank = kind === 'rank' ? index + 1 : rank + 1
      return wrapInteger(rank)
    })
  }
}

function evaluator (expression: unknown, context: StageContext): (doc: Document) => unknown {
  const scope = scopeOf(context)
  return onDocument(compileExpression(expression, scope), scope)
}

function operandOf ({ name, operand }: Request, required: string[], optional: string[] = []): Document {
  if (!isDocument(operand)) throw failedToParse(`Argument to ${name} must be an object`)
  for (const key of Object.keys(operand)) if (!required.includes(key) && !optional.includes(key)) throw failedToParse(`Unknown argument in ${name}: ${key}`)
  for (const key of required) if (!(key in operand)) throw failedToParse(`${name} requires '${key}'`)
  return operand
}

function shifting (request: Request): WindowFunction {
  needSort(request)
  const { output, by, default: otherwise } = operandOf(request, ['output', 'by'], ['default'])
  const distance = isNumeric(by) ? toInteger(by) : undefined
  if (distance === undefined) throw failedToParse(`$shift requires 'by' as an integer value: ${String(by)}`)
  const evaluate = evaluator(output, request.context)
  const fallback: unknown = otherwise === undefined ? null : evaluateConstant(otherwise, scopeOf(request.context))
  return documents => mapPaced(documents, request.context.pace, (_, index) => {
    const other = documents[index + distance]
    return other === undefined ? fallback : evaluate(other) ?? null
  })
}

function movingAverage (request: Request): WindowFunction {
  needSort(request)
  const { input, N, alpha } = operandOf(request, ['input'], ['N', 'alpha'])
  if ((N === undefined) === (alpha === undefined)) throw failedToParse("$expMovingAvg sub object must have exactly two fields: An 'input' field, and either an 'N' field or an 'alpha' field")
  const weight: unknown = alpha ?? new Double(2 / (toNumber(N) + 1))
  const evaluate = evaluator(input, request.context)
  return documents => {
    let average: unknown = null
    return mapPaced(documents, request.context.pace, doc => {
      const value = evaluate(doc)
      if (numericTypeOf(value) === undefined) return null
      average = average === null ? value : add(multiply(value, weight), multiply(average, subtract(new Int32(1), weight)))
      return average
    })
  }
}

const unitLength: Record<string, number> = { week: 604_800_000, day: 86_400_000, hour: 3_600_000, minute: 60_000, second: 1000, millisecond: 1 }

/** Positions on the sort axis: numbers, or dates in the unit asked for. */
function axis (request: Request, unit: unknown): WindowFunction {
  const kind = unit === undefined ? undefined : parseUnit(request.name, unit)
  if (kind !== undefined && unitLength[kind] === undefined) throw new CommandError(5490704, `unit must be 'week' or smaller in ${request.name}`)
  return function * (documents) {
    return yield * mapPaced(yield * sortValues(request, documents), request.context.pace, value => position(value))
  }

  function position (value: unknown): unknown {
    if (value instanceof Date) {
      if (kind === undefined) throw new CommandError(5624901, `${request.name} where the sortBy is a Date requires an explicit 'unit'`)
      return new Double(value.getTime() / (unitLength[kind] ?? 1))
    }
    if (kind !== undefined) throw new CommandError(5624900, `${request.name} with 'unit' expects the sortBy field to be a Date`)
    if (numericTypeOf(value) === undefined) throw new CommandError(5624902, `${request.name} expects the sortBy field to be numeric, found ${typeNameOf(value)}`)
    return value
  }
}

function derivative (request: Request): WindowFunction {
  const { input, unit } = operandOf(request, ['input'], ['unit'])
  if (request.window === undefined) throw failedToParse('$derivative requires explicit window bounds')
  const bounds = parseWindow(request.window, needSort(request))
  const evaluate = evaluator(input, request.context)
  const positions = axis(request, unit)
  const { pace } = request.context
  return function * (documents) {
    const x = yield * positions(documents)
    const y = yield * mapPaced(documents, pace, evaluate)
    return yield * mapPaced(yield * bounds.ranges(documents, pace), pace, ([from, to]) => {
      if (to <= from) return null
      const run = subtract(x[to], x[from])
      if (numericTypeOf(y[to]) === undefined || numericTypeOf(y[from]) === undefined || toNumber(run) === 0) return null
      return divide(subtract(y[to], y[from]), run)
    })
  }
}

function integral (request: Request): WindowFunction {
  const { input, unit } = operandOf(request, ['input'], ['unit'])
  const bounds = parseWindow(request.window, needSort(request))
  const evaluate = evaluator(input, request.context)
  const positions = axis(request, unit)
  const { pace } = request.context
  return function * (documents) {
    const x = yield * positions(documents)
    const y = yield * mapPaced(documents, pace, evaluate)
    const area = (index: number): unknown => {
      if (numericTypeOf(y[index]) === undefined || numericTypeOf(y[index - 1]) === undefined) return new Int32(0)
      return divide(multiply(subtract(x[index], x[index - 1]), add(y[index], y[index - 1])), new Int32(2))
    }
    return yield * mapPaced(yield * bounds.ranges(documents, pace), pace, ([from, to]) => {
      if (to < from) return null
      let sum: unknown = new Int32(0)
      for (let i = from + 1; i <= to; i++) sum = add(sum, area(i))
      return sum
    })
  }
}

function covariance (request: Request, sample: boolean): WindowFunction {
  const { operand, context, sortBy, window } = request
  if (!Array.isArray(operand) || operand.length !== 2) throw failedToParse(`${request.name} requires an array of exactly two expressions`)
  const [first, second] = operand.map(item => evaluator(item, context)) as [(doc: Document) => unknown, (doc: Document) => unknown]
  const bounds = parseWindow(window, sortBy)
  const covary = (documents: Document[], [from, to]: [number, number]): unknown => {
    const pairs = documents.slice(from, to + 1).map(doc => [first(doc), second(doc)] as const).filter(([a, b]) => isNumeric(a) && isNumeric(b)).map(([a, b]) => [toNumber(a), toNumber(b)] as const)
    const divisor = sample ? pairs.length - 1 : pairs.length
    if (divisor <= 0) return null
    const meanA = pairs.reduce((sum, [a]) => sum + a, 0) / pairs.length
    const meanB = pairs.reduce((sum, [, b]) => sum + b, 0) / pairs.length
    return new Double(pairs.reduce((sum, [a, b]) => sum + (a - meanA) * (b - meanB), 0) / divisor)
  }
  return function * (documents) {
    return yield * mapPaced(yield * bounds.ranges(documents, context.pace), context.pace, range => covary(documents, range))
  }
}

function lastObserved (request: Request): WindowFunction {
  const evaluate = evaluator(request.operand, request.context)
  return documents => {
    let kept: unknown = null
    return mapPaced(documents, request.context.pace, doc => {
      kept = evaluate(doc) ?? kept
      return kept
    })
  }
}

function linearFill (request: Request): WindowFunction {
  needSort(request)
  const evaluate = evaluator(request.operand, request.context)
  const { pace } = request.context
  return function * (documents) {
    const x = yield * mapPaced(yield * sortValues(request, documents), pace, value => value instanceof Date ? new Double(value.getTime()) : value)
    const y = yield * mapPaced(documents, pace, (doc): unknown => evaluate(doc) ?? null)
    const known = y.flatMap((value, index) => value === null ? [] : [index])
    for (let k = 1; k < known.length; k++) {
      const left = known[k - 1] ?? 0
      const right = known[k] ?? 0
      for (let i = left + 1; i < right; i++) {
        const share = divide(subtract(x[i], x[left]), subtract(x[right], x[left]))
        y[i] = add(y[left], multiply(subtract(y[right], y[left]), share))
      }
    }
    return y
  }
}
