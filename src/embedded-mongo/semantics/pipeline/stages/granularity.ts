import { createRequire } from 'node:module'
import { CommandError } from '../../errors.js'
import { wrapNumber } from '../../values/arithmetic.js'
import { toNumber } from '../../values/numbers.js'
import { isDocument, isNumeric, typeNameOf } from '../../values/types.js'
import type { Entry, Range } from './bucket.js'

interface Mingo { aggregate: (input: unknown[], pipeline: unknown[]) => unknown[] }

const granularities = new Set(['R5', 'R10', 'R20', 'R40', 'R80', '1-2-5', 'E6', 'E12', 'E24', 'E48', 'E96', 'E192', 'POWERSOF2'])

/** Buckets whose bounds are preferred numbers; the series and the placing of bounds are mingo's. */
export function granularBoundaries (entries: Entry[], buckets: number, granularity: unknown): Range[] {
  if (typeof granularity !== 'string') throw new CommandError(40261, `The $bucketAuto 'granularity' field must be a string, but found type: ${typeNameOf(granularity)}.`)
  if (!granularities.has(granularity)) throw new CommandError(40257, `Unknown rounding granularity '${granularity}'`)
  const numbers = entries.map(({ value }, index) => {
    if (!isNumeric(value)) throw new CommandError(40258, `$bucketAuto can specify a 'granularity' with numeric boundaries only, but found a value with type: ${typeNameOf(value)}`)
    const number = toNumber(value)
    if (Number.isNaN(number)) throw new CommandError(40259, "$bucketAuto can specify a 'granularity' with numeric boundaries only, but found a NaN")
    if (number < 0) throw new CommandError(40260, `$bucketAuto can specify a 'granularity' with non-negative numbers only, but found a negative number: ${number}`)
    return { number, index }
  })
  const mingo = createRequire(import.meta.url)('mingo') as Mingo
  const found = mingo.aggregate(numbers, [{
    $bucketAuto: { groupBy: '$number', buckets, granularity, output: { indexes: { $push: '$index' } } }
  }])
  return found.map(bucket => {
    const { _id, indexes } = bucket as { _id: unknown, indexes: number[] }
    const { min, max } = isDocument(_id) ? _id : {}
    return { min: wrapNumber(Number(min)), max: wrapNumber(Number(max)), documents: indexes.map(index => entries[index]?.doc ?? {}) }
  })
}
