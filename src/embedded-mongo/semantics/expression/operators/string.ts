import { BSONRegExp, BSONSymbol, Int32 } from 'bson'
import { CommandError } from '../../errors.js'
import { compileRegex } from '../../match/regex.js'
import { wrapInteger } from '../../values/arithmetic.js'
import { compareStrings, regexParts } from '../../values/compare.js'
import { toInteger, toNumber } from '../../values/numbers.js'
import { isNumeric, typeNameOf } from '../../values/types.js'
import { formatIsoDate } from './date-format.js'
import { binary, isNullish, named, unary, variadic, type Arguments, type OperatorTable } from './define.js'
import { formatDouble } from './type.js'

/** A value where a string is wanted: numbers and dates are written out, null gives ''. */
function coerceText (value: unknown, name: string): string {
  if (typeof value === 'string') return value
  if (isNullish(value)) return ''
  if (value instanceof BSONSymbol) return value.value
  if (value instanceof Date) return formatIsoDate(value)
  if (isNumeric(value)) return typeNameOf(value) === 'double' ? formatDouble(toNumber(value)) : String(value)
  throw new CommandError(16007, `can't convert from BSON type ${typeNameOf(value)} to String in ${name}`)
}

function concat (values: unknown[]): unknown {
  let text = ''
  for (const value of values) {
    if (isNullish(value)) return null
    if (typeof value !== 'string') throw new CommandError(16702, `$concat only supports strings, not ${typeNameOf(value)}`)
    text += value
  }
  return text
}

function needText (value: unknown, code: number, message: string): string {
  if (typeof value !== 'string') throw new CommandError(code, `${message}${typeNameOf(value)}`)
  return value
}

function substringBytes (values: unknown[]): unknown {
  const [value, start, count] = values
  const bytes = Buffer.from(coerceText(value, '$substrBytes'))
  const from = substringNumber(start, 16034, '$substrBytes:  starting index must be a numeric type (is BSON type ')
  const length = substringNumber(count, 16035, '$substrBytes:  length must be a numeric type (is BSON type ')
  if (from < 0) throw new CommandError(50752, `$substrBytes:  starting index must be non-negative (got: ${from})`)
  const end = length < 0 ? bytes.length : Math.min(from + length, bytes.length)
  if (from >= bytes.length) return ''
  const continues = (at: number) => at < bytes.length && ((bytes[at] ?? 0) & 0xc0) === 0x80
  if (continues(from)) throw new CommandError(28656, '$substrBytes:  Invalid range, starting index is a UTF-8 continuation byte.')
  if (continues(end)) throw new CommandError(28657, '$substrBytes:  Invalid range, ending index is in the middle of a UTF-8 character.')
  return bytes.toString('utf8', from, end)
}

function substringNumber (value: unknown, code: number, message: string): number {
  if (!isNumeric(value)) throw new CommandError(code, `${message}${typeNameOf(value)})`)
  return Math.trunc(toNumber(value))
}

function substringPoints (values: unknown[]): unknown {
  const [value, start, count] = values
  const points = [...coerceText(value, '$substrCP')]
  const from = pointNumber(start, 34450, 34451, 'starting index')
  const length = pointNumber(count, 34452, 34453, 'length')
  if (length < 0) throw new CommandError(34454, '$substrCP: length must be a nonnegative integer.')
  if (from < 0) throw new CommandError(34455, '$substrCP: the starting index must be nonnegative integer.')
  return points.slice(from, from + length).join('')
}

function pointNumber (value: unknown, code: number, wholeCode: number, which: string): number {
  if (!isNumeric(value)) throw new CommandError(code, `$substrCP: ${which} must be a numeric type (is BSON type ${typeNameOf(value)})`)
  const number = toInteger(value)
  if (number === undefined) throw new CommandError(wholeCode, `$substrCP: ${which} cannot be represented as a 32-bit integral value: ${toNumber(value)}`)
  return number
}

function searchBounds (name: string, start: unknown, end: unknown, length: number): [number, number] {
  const read = (value: unknown, which: string, otherwise: number) => {
    if (value === undefined) return otherwise
    const number = isNumeric(value) ? toInteger(value) : undefined
    if (number === undefined) throw new CommandError(40096, `${name} requires an integral ${which} index, found a value of type: ${typeNameOf(value)}`)
    if (number < 0) throw new CommandError(40097, `${name} requires a nonnegative ${which} index, found: ${number}`)
    return number
  }
  return [read(start, 'starting', 0), Math.min(read(end, 'ending', length), length)]
}

function indexOfBytes (values: unknown[]): unknown {
  const [value, token, start, end] = values
  if (isNullish(value)) return null
  const bytes = Buffer.from(needText(value, 40091, '$indexOfBytes requires a string as the first argument, found: '))
  const wanted = Buffer.from(needText(token, 40092, '$indexOfBytes requires a string as the second argument, found: '))
  const [from, to] = searchBounds('$indexOfBytes', start, end, bytes.length)
  if (from > bytes.length || to < from) return new Int32(-1)
  const index = bytes.subarray(0, to).indexOf(wanted, from)
  return wrapInteger(index)
}

function indexOfPoints (values: unknown[]): unknown {
  const [value, token, start, end] = values
  if (isNullish(value)) return null
  const points = [...needText(value, 40093, '$indexOfCP requires a string as the first argument, found: ')]
  const wanted = [...needText(token, 40094, '$indexOfCP requires a string as the second argument, found: ')]
  const [from, to] = searchBounds('$indexOfCP', start, end, points.length)
  for (let i = from; i + wanted.length <= to; i++) {
    if (wanted.every((point, offset) => points[i + offset] === point)) return wrapInteger(i)
  }
  return new Int32(-1)
}

const whitespace = '\0 \t\n\v\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a'

function trimming (name: string, left: boolean, right: boolean) {
  return named(name, ['input'], ['chars'], ({ input, chars = whitespace }) => {
    if (isNullish(input)) return null
    const text = needText(input, 50699, `${name} requires its input to be a string, got a value of type: `)
    if (chars === null) return null
    const set = new Set(needText(chars, 50700, `${name} requires 'chars' to be a string, got a value of type: `))
    const points = [...text]
    const keeps = (point: string) => !set.has(point)
    const from = left ? points.findIndex(keeps) : 0
    const to = right ? points.findLastIndex(keeps) + 1 : points.length
    return from < 0 ? '' : points.slice(from, to).join('')
  }, { notObject: 50696, unknown: 50694, missing: 50695 })
}

function replacing (name: string, replace: (text: string, find: string, replacement: string) => string) {
  return named(name, ['input', 'find', 'replacement'], [], ({ input, find, replacement }) => {
    const parts = [input, find, replacement]
    parts.forEach((value, index) => {
      if (!isNullish(value) && typeof value !== 'string') {
        throw new CommandError([51746, 51745, 51744][index] ?? 51746, `${name} requires that '${['input', 'find', 'replacement'][index]}' be a string, found: ${String(value)}`)
      }
    })
    if (parts.some(isNullish)) return null
    return replace(String(input), String(find), String(replacement))
  }, { notObject: 51751, unknown: 51750, missing: 51749 })
}

function prepareRegex (name: string, { regex, options }: Arguments): RegExp | null {
  if (isNullish(regex)) return null
  const stored = regex instanceof BSONRegExp || regex instanceof RegExp ? regexParts(regex) : undefined
  if (stored === undefined && typeof regex !== 'string') throw new CommandError(51105, `${name} needs 'regex' to be of type string or regex`)
  if (!isNullish(options) && typeof options !== 'string') throw new CommandError(51106, `${name} needs 'options' to be of type string`)
  if (stored !== undefined && stored.options !== '' && typeof options === 'string' && options !== '') throw new CommandError(51107, `${name}: found regex option(s) specified in both 'regex' and 'option' fields`)
  const flags = typeof options === 'string' && options !== '' ? options : stored?.options ?? ''
  const compiled = compileRegex(stored?.pattern ?? String(regex), flags)
  return new RegExp(compiled.source, `${compiled.flags}g`)
}

const regexes = new Map<string, RegExp | null>()

/** Constant patterns are compiled once; the cache is small because patterns usually come from the query's text. */
function regexFor (name: string, args: Arguments): RegExp | null {
  const { regex, options } = args
  const key = `${typeof regex}${String(regex instanceof BSONRegExp ? `${regex.pattern}/${regex.options}` : regex)}/${String(options)}`
  let compiled = regexes.get(key)
  if (compiled === undefined) {
    compiled = prepareRegex(name, args)
    if (regexes.size > 100) regexes.clear()
    regexes.set(key, compiled)
  }
  return compiled
}

function regexSearch (name: string, found: (text: string, regex: RegExp) => unknown, nothing: unknown) {
  return named(name, ['input', 'regex'], ['options'], args => {
    const { input } = args
    if (!isNullish(input) && typeof input !== 'string') throw new CommandError(51104, `${name} needs 'input' to be of type string`)
    const regex = regexFor(name, args)
    if (isNullish(input) || regex === null) return nothing
    regex.lastIndex = 0
    return found(input, regex)
  }, { notObject: 51103, unknown: 31024, missing: 31022 })
}

function describeMatch (text: string, match: RegExpMatchArray): Record<string, unknown> {
  return {
    match: match[0],
    idx: wrapInteger([...text.slice(0, match.index)].length),
    captures: match.slice(1).map(capture => capture ?? null)
  }
}

function changeCase (name: string, change: (text: string) => string) {
  // Only ASCII letters, as the manual says of $toUpper and $toLower.
  return unary(name, value => coerceText(value, name).replace(/[A-Za-z]+/g, change))
}

export const stringOperators: OperatorTable = {
  $concat: variadic('$concat', concat),
  $toUpper: changeCase('$toUpper', text => text.toUpperCase()),
  $toLower: changeCase('$toLower', text => text.toLowerCase()),
  $strcasecmp: binary('$strcasecmp', (a, b) => new Int32(Math.sign(compareStrings(coerceText(a, '$strcasecmp').toUpperCase(), coerceText(b, '$strcasecmp').toUpperCase())))),
  $strLenBytes: unary('$strLenBytes', value => wrapInteger(Buffer.byteLength(needText(value, 34473, '$strLenBytes requires a string argument, found: ')))),
  $strLenCP: unary('$strLenCP', value => wrapInteger([...needText(value, 34471, '$strLenCP requires a string argument, found: ')].length)),
  $substr: variadic('$substr', substringBytes, 3, 3),
  $substrBytes: variadic('$substrBytes', substringBytes, 3, 3),
  $substrCP: variadic('$substrCP', substringPoints, 3, 3),
  $indexOfBytes: variadic('$indexOfBytes', indexOfBytes, 2, 4),
  $indexOfCP: variadic('$indexOfCP', indexOfPoints, 2, 4),
  $split: binary('$split', (a, b) => {
    if (isNullish(a) || isNullish(b)) return null
    const text = needText(a, 40085, '$split requires an expression that evaluates to a string as a first argument, found: ')
    const separator = needText(b, 40086, '$split requires an expression that evaluates to a string as a second argument, found: ')
    if (separator === '') throw new CommandError(40087, '$split requires a non-empty separator')
    return text.split(separator)
  }),
  $trim: trimming('$trim', true, true),
  $ltrim: trimming('$ltrim', true, false),
  $rtrim: trimming('$rtrim', false, true),
  $replaceOne: replacing('$replaceOne', (text, find, replacement) => text.replace(find, () => replacement)),
  $replaceAll: replacing('$replaceAll', (text, find, replacement) => text.replaceAll(find, () => replacement)),
  $regexMatch: regexSearch('$regexMatch', (text, regex) => regex.test(text), false),
  $regexFind: regexSearch('$regexFind', (text, regex) => {
    const match = regex.exec(text)
    return match === null ? null : describeMatch(text, match)
  }, null),
  $regexFindAll: regexSearch('$regexFindAll', (text, regex) => [...text.matchAll(regex)].map(match => describeMatch(text, match)), [])
}
