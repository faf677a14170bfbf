import { CommandError } from '../../errors.js'
import { wrapNumber } from '../../values/arithmetic.js'
import { toNumber } from '../../values/numbers.js'
import { isNumeric, typeNameOf } from '../../values/types.js'
import type { Entry, Range } from './bucket.js'

/*
 * Preferred numbers of one decade: ISO 3 (Renard) and IEC 60063 (E series), as $bucketAuto's manual page names them.
 * E48 and finer are powers of ten rounded to three digits, with the standard's exception of 9.20.
 */
const r5 = [10, 16, 25, 40, 63]
const r10 = [...r5, 12.5, 20, 31.5, 50, 80]
const r20 = [...r10, 11.2, 14, 18, 22.4, 28, 35.5, 45, 56, 71, 90]
const r40 = [...r20, 10.6, 11.8, 13.2, 15, 17, 19, 21.2, 23.6, 26.5, 30, 33.5, 37.5, 42.5, 47.5, 53, 60, 67, 75, 85, 95]
const r80 = [...r40, 10.3, 10.9, 11.5, 12.2, 12.8, 13.6, 14.5, 15.5, 16.5, 17.5, 18.5, 19.5, 20.6, 21.8, 23, 24.3, 25.8, 27.2, 29, 30.7,
  32.5, 34.5, 36.5, 38.7, 41.2, 43.7, 46.2, 48.7, 51.5, 54.5, 58, 61.5, 65, 69, 73, 77.5, 82.5, 87.5, 92.5, 97.5]
const e6 = [10, 15, 22, 33, 47, 68]
const e12 = [...e6, 12, 18, 27, 39, 56, 82]
const e24 = [...e12, 11, 13, 16, 20, 24, 30, 36, 43, 51, 62, 75, 91]

function fineSeries (count: number): number[] {
  return Array.from({ length: count }, (_, index) => {
    const value = Math.round(10 ** (index / count + 2)) / 10
    return value === 91.9 ? 92 : value
  })
}

const decades = new Map<string, number[]>(Object.entries({
  R5: r5, R10: r10, R20: r20, R40: r40, R80: r80, '1-2-5': [10, 20, 50], E6: e6, E12: e12, E24: e24, E48: fineSeries(48), E96: fineSeries(96), E192: fineSeries(192)
}).map(([name, series]) => [name, series.sort((a, b) => a - b)]))

interface Rounder { up: (value: number) => number, down: (value: number) => number }

/** The next preferred number above a number, and the last one below it; zero stays. */
function rounderOf (granularity: unknown): Rounder {
  if (typeof granularity !== 'string') throw new CommandError(40261, `The $bucketAuto 'granularity' field must be a string, but found type: ${typeNameOf(granularity)}.`)
  if (granularity === 'POWERSOF2') {
    return {
      up: value => value === 0 ? 0 : 2 ** (Math.floor(Math.log2(value)) + 1),
      down: value => value === 0 ? 0 : 2 ** (Math.ceil(Math.log2(value)) - 1)
    }
  }
  const series = decades.get(granularity)
  if (series === undefined) throw new CommandError(40257, `Unknown rounding granularity '${granularity}'`)
  return { up: value => nextPreferred(value, series), down: value => previousPreferred(value, series) }
}

function scaleOf (value: number): number {
  return Math.floor(Math.log10(value)) - 1
}

/** Numbers of the series by decade, exact as decimal text is. */
function preferred (value: number, scale: number): number {
  return Number(`${value}e${scale}`)
}

function nextPreferred (value: number, series: number[]): number {
  if (value === 0) return 0
  for (let scale = scaleOf(value) - 1; ; scale++) {
    const found = series.find(item => preferred(item, scale) > value)
    if (found !== undefined) return preferred(found, scale)
  }
}

function previousPreferred (value: number, series: number[]): number {
  if (value === 0) return 0
  for (let scale = scaleOf(value) + 1; ; scale--) {
    const found = series.findLast(item => preferred(item, scale) < value)
    if (found !== undefined) return preferred(found, scale)
  }
}

/** Buckets whose bounds are preferred numbers; each takes what lies below its upper bound. */
export function granularBoundaries (entries: Entry[], buckets: number, granularity: unknown): Range[] {
  const rounder = rounderOf(granularity)
  const numbers = entries.map(entry => numberOf(entry))
  const size = Math.max(1, Math.round(entries.length / buckets))
  const ranges: Range[] = []
  let at = 0
  let lower = rounder.down(numbers[0] ?? 0)
  while (at < entries.length) {
    const last = ranges.length === buckets - 1
    const filled = last ? entries.length : Math.min(at + size, entries.length)
    const upper = rounder.up(numbers[filled - 1] ?? 0)
    let end = filled
    while (end < entries.length && ((numbers[end] ?? 0) < upper || numbers[end] === 0)) end += 1
    ranges.push({ min: wrapNumber(lower), max: wrapNumber(upper), documents: entries.slice(at, end).map(entry => entry.doc) })
    lower = upper
    at = end
  }
  return ranges
}

function numberOf ({ value }: Entry): number {
  if (!isNumeric(value)) throw new CommandError(40258, `$bucketAuto can specify a 'granularity' with numeric boundaries only, but found a value with type: ${typeNameOf(value)}`)
  const number = toNumber(value)
  if (Number.isNaN(number)) throw new CommandError(40259, "$bucketAuto can specify a 'granularity' with numeric boundaries only, but found a NaN")
  if (number < 0) throw new CommandError(40260, `$bucketAuto can specify a 'granularity' with non-negative numbers only, but found a negative number: ${number}`)
  return number
}
