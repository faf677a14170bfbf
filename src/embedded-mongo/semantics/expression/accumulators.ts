import { Double, Int32 } from 'bson'
import { CommandError, failedToParse } from '../errors.js'
import { encodeKeyText } from '../index-keys/encode-key.js'
import { compileSort } from '../sort.js'
import type { Document } from '../types.js'
import { numericTypeOf } from '../values/arithmetic.js'
import { compareValues } from '../values/compare.js'
import { toInteger, toNumber } from '../values/numbers.js'
import { isDocument, isNumeric, setField, typeNameOf } from '../values/types.js'
import { compileExpression, evaluateConstant } from './compile.js'
import { Deviation, Summation } from './summation.js'
import { CURRENT, ROOT, type Evaluate, type Frame, type Scope } from './scope.js'

/** One group's running state. */
export interface Accumulator {
  add: (value: unknown, frame: Frame) => void
  result: () => unknown
}

/** A compiled accumulator: how to read a document's value, and how to begin a group. */
export interface AccumulatorSpec { input: Evaluate, create: () => Accumulator }

type Factory = (operand: unknown, scope: Scope) => AccumulatorSpec

function simple (create: (scope: Scope) => Accumulator): Factory {
  return (operand, scope) => ({ input: compileExpression(operand, scope), create: () => create(scope) })
}

function sum (): Accumulator {
  const state = new Summation()
  return { add: value => { state.add(value) }, result: () => state.total() }
}

function average (): Accumulator {
  const state = new Summation()
  return { add: value => { state.add(value) }, result: () => state.mean() }
}

function deviation (sample: boolean): () => Accumulator {
  return () => {
    const state = new Deviation()
    return { add: value => { state.add(value) }, result: () => state.result(sample) }
  }
}

function extreme (sign: 1 | -1) {
  return ({ collation }: Scope): Accumulator => {
    let best: unknown
    return {
      add: value => {
        if (value === undefined || value === null) return
        if (best === undefined || compareValues(value, best, collation) * sign > 0) best = value
      },
      result: () => best ?? null
    }
  }
}

function first (): Accumulator {
  let seen = false
  let kept: unknown
  return {
    add: value => {
      if (seen) return
      seen = true
      kept = value
    },
    result: () => kept ?? null
  }
}

function last (): Accumulator {
  let kept: unknown
  return { add: value => { kept = value }, result: () => kept ?? null }
}

function push (): Accumulator {
  const values: unknown[] = []
  return { add: value => { if (value !== undefined) values.push(value) }, result: () => [...values] }
}

function addToSet ({ collation }: Scope): Accumulator {
  const values = new Map<string, unknown>()
  return {
    add: value => {
      if (value === undefined) return
      const key = encodeKeyText(value, collation)
      if (!values.has(key)) values.set(key, value)
    },
    result: () => [...values.values()]
  }
}

function mergeObjects (): Accumulator {
  const merged: Document = {}
  return {
    add: value => {
      if (value === undefined || value === null) return
      if (!isDocument(value)) throw new CommandError(40400, `$mergeObjects requires object inputs, but input ${String(value)} is of type ${typeNameOf(value)}`)
      for (const [name, field] of Object.entries(value)) setField(merged, name, field)
    },
    result: () => ({ ...merged })
  }
}

function positiveCount (value: unknown): number {
  const count = isNumeric(value) ? toInteger(value) : undefined
  if (count === undefined) throw new CommandError(5787902, `Value for 'n' must be of integral type, but found ${String(value)}`)
  if (count <= 0) throw new CommandError(5787908, `'n' must be greater than 0, found ${count}`)
  return count
}

function operandDocument (name: string, operand: unknown, keys: string[], code: number): Document {
  if (!isDocument(operand)) throw new CommandError(code, `specification must be an object; found ${name}: ${String(operand)}`)
  for (const key of Object.keys(operand)) if (!keys.includes(key)) throw new CommandError(code + 1, `Unknown argument to ${name} '${key}'`)
  for (const key of keys) if (!(key in operand)) throw new CommandError(5787906, `Missing value for '${key}'`)
  return operand
}

/** `$firstN`, `$lastN`, `$minN`, `$maxN`. */
function takeN (name: string, take: (values: unknown[], count: number, scope: Scope) => unknown[]): Factory {
  return (operand, scope) => {
    const spec = operandDocument(name, operand, ['n', 'input'], 5787900)
    const count = positiveCount(evaluateConstant(spec.n, scope))
    return {
      input: compileExpression(spec.input, scope),
      create: () => {
        let values: unknown[] = []
        return {
          add: value => {
            values.push(value ?? null)
            if (values.length > 4 * count + 1000) values = take(values, count, scope)
          },
          result: () => take(values, count, scope)
        }
      }
    }
  }
}

function ordered (sign: 1 | -1) {
  return (values: unknown[], count: number, { collation }: Scope) => values
    .filter(value => value !== null && value !== undefined)
    .sort((a, b) => compareValues(a, b, collation) * sign)
    .slice(0, count)
}

/** `$top`, `$topN`, `$bottom`, `$bottomN`: outputs of the documents that come first or last by `sortBy`. */
function ranked (name: string, many: boolean, bottom: boolean): Factory {
  return (operand, scope) => {
    const spec = operandDocument(name, operand, many ? ['n', 'sortBy', 'output'] : ['sortBy', 'output'], 5788000)
    const count = many ? positiveCount(evaluateConstant(spec.n, scope)) : 1
    if (!isDocument(spec.sortBy)) throw new CommandError(5788005, `expected 'sortBy' to already be an object in the arguments to ${name}`)
    const compare = compileSort(spec.sortBy, { collation: scope.collation })
    const take = (entries: Array<{ doc: Document, value: unknown }>) => {
      entries.sort((a, b) => compare(a.doc, b.doc))
      return bottom ? entries.slice(-count) : entries.slice(0, count)
    }
    return {
      input: compileExpression(spec.output, scope),
      create: () => {
        let entries: Array<{ doc: Document, value: unknown }> = []
        return {
          add: (value, frame) => {
            const doc = frame[CURRENT] ?? frame[ROOT]
            entries.push({ doc: isDocument(doc) ? doc : {}, value: value ?? null })
            if (entries.length > 4 * count + 1000) entries = take(entries)
          },
          result: () => {
            const values = take(entries).map(entry => entry.value)
            return many ? values : values[0] ?? null
          }
        }
      }
    }
  }
}

/** The value at or below which a share `p` of the sorted numbers lies (discrete, as for small inputs in MongoDB). */
export function percentilesOf (numbers: number[], shares: number[]): unknown[] {
  const sorted = Float64Array.from(numbers).sort()
  return shares.map(share => sorted.length === 0 ? null : new Double(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN))
}

export function parseShares (name: string, operand: unknown, scope: Scope): { input: unknown, shares: number[] } {
  const keys = name === '$median' ? ['input', 'method'] : ['input', 'p', 'method']
  if (!isDocument(operand)) throw new CommandError(name === '$median' ? 7436100 : 7429703, `specification must be an object; found ${name}: ${String(operand)}`)
  for (const key of keys) if (!(key in operand)) throw new CommandError(40414, `BSON field '${name}.${key}' is missing but a required field`)
  for (const key of Object.keys(operand)) if (!keys.includes(key)) throw new CommandError(40415, `BSON field '${name}.${key}' is an unknown field.`)
  if (operand.method !== 'approximate') throw new CommandError(2, 'Currently only \'approximate\' can be used as percentile \'method\'.')
  if (name === '$median') return { input: operand.input, shares: [0.5] }
  const list = evaluateConstant(operand.p, scope)
  if (!Array.isArray(list) || list.length === 0) throw new CommandError(7750300, "The $percentile 'p' field must be an array of numbers from [0.0, 1.0]")
  const shares = list.map(item => {
    if (!isNumeric(item)) throw new CommandError(7750302, "The $percentile 'p' field must be an array of numbers from [0.0, 1.0]")
    const share = toNumber(item)
    if (!(share >= 0 && share <= 1)) throw new CommandError(7750303, `The $percentile 'p' field must be an array of numbers from [0.0, 1.0], found: ${share}`)
    return share
  })
  return { input: operand.input, shares }
}

function percentile (name: '$percentile' | '$median'): Factory {
  return (operand, scope) => {
    const { input, shares } = parseShares(name, operand, scope)
    return {
      input: compileExpression(input, scope),
      create: () => {
        const numbers: number[] = []
        return {
          add: value => { if (numericTypeOf(value) !== undefined) numbers.push(toNumber(value)) },
          result: () => name === '$median' ? percentilesOf(numbers, shares)[0] : percentilesOf(numbers, shares)
        }
      }
    }
  }
}

const factories = new Map<string, Factory>(Object.entries({
  $sum: simple(sum),
  $avg: simple(average),
  $min: simple(extreme(-1)),
  $max: simple(extreme(1)),
  $first: simple(first),
  $last: simple(last),
  $push: simple(push),
  $addToSet: simple(addToSet),
  $mergeObjects: simple(mergeObjects),
  $stdDevPop: simple(deviation(false)),
  $stdDevSamp: simple(deviation(true)),
  $count: operand => {
    if (!isDocument(operand) || Object.keys(operand).length > 0) throw failedToParse('$count takes no arguments, i.e. $count:{}')
    return { input: () => new Int32(1), create: sum }
  },
  $firstN: takeN('$firstN', (values, count) => values.slice(0, count)),
  $lastN: takeN('$lastN', (values, count) => values.slice(-count)),
  $minN: takeN('$minN', ordered(1)),
  $maxN: takeN('$maxN', ordered(-1)),
  $top: ranked('$top', false, false),
  $topN: ranked('$topN', true, false),
  $bottom: ranked('$bottom', false, true),
  $bottomN: ranked('$bottomN', true, true),
  $percentile: percentile('$percentile'),
  $median: percentile('$median'),
  $accumulator: () => { throw new CommandError(31264, 'Cannot run server-side javascript without the javascript engine enabled') }
} satisfies Record<string, Factory>))

export function isAccumulator (name: string): boolean {
  return factories.has(name)
}

/** @throws CommandError 15952 for a name that is no accumulator */
export function compileAccumulator (name: string, operand: unknown, scope: Scope): AccumulatorSpec {
  const factory = factories.get(name)
  if (factory === undefined) throw new CommandError(15952, `unknown group operator '${name}'`)
  return factory(operand, scope)
}
