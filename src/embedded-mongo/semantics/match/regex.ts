import { BSONRegExp, BSONSymbol } from 'bson'
import { badValue, CommandError } from '../errors.js'
import type { ValueTest } from '../paths/walk.js'
import { compareValues, regexParts, textOf } from '../values/compare.js'

const MAX_PATTERN_LENGTH = 32764

/**
 * A JavaScript regular expression for one of MongoDB's (PCRE2) with options i, m, s, x, u.
 * Leading inline options, `\A`, `\z`, `\Z` and POSIX classes are translated; what JavaScript cannot
 * express is refused as invalid.
 * @throws CommandError 51091 for an invalid or overlong pattern, 51108 for an unknown option
 */
export function compileRegex (pattern: string, options: string): RegExp {
  if (pattern.length > MAX_PATTERN_LENGTH) throw new CommandError(51091, 'Regular expression is invalid: regular expression is too large')
  if (pattern.includes('\0')) throw badValue('Regular expression cannot contain an embedded null byte')
  let source = pattern
  let flags = options
  const inline = /^\(\?([imsx]+)\)/.exec(source)
  if (inline !== null) {
    flags += inline[1] ?? ''
    source = source.slice(inline[0].length)
  }
  for (const option of flags) {
    if (!'imsxu'.includes(option)) throw new CommandError(51108, ` invalid flag in regex options: ${option}`)
  }
  if (flags.includes('x')) source = stripExtended(source)
  source = translate(source, flags.includes('m'))
  const jsFlags = [...new Set(flags)].filter(flag => 'ims'.includes(flag)).join('')
  return construct(source, jsFlags, pattern)
}

function construct (source: string, flags: string, pattern: string): RegExp {
  try {
    return new RegExp(source, `${flags}u`)
  } catch {
    // Without the u flag JavaScript takes needless escapes, as PCRE does.
  }
  try {
    return new RegExp(source, flags)
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^.*: /, '') : 'invalid'
    throw new CommandError(51091, `Regular expression is invalid: ${reason} in ${pattern.slice(0, 100)}`)
  }
}

const posixClasses: Record<string, string> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\s',
  xdigit: '0-9A-Fa-f',
  word: '\\w',
  punct: '!-\\/:-@\\[-`{-~'
}

function translate (source: string, multiline: boolean): string {
  if (!/\\[AzZh]|\[:/.test(source)) return source
  return source.replace(/\\(.)|\[:(\^?)([a-z]+):\]/gs, (whole, escaped: string | undefined, not: string | undefined, name: string | undefined) => {
    if (escaped === 'A') return multiline ? '(?<![\\s\\S])' : '^'
    if (escaped === 'z') return multiline ? '(?![\\s\\S])' : '$'
    if (escaped === 'Z') return '(?=\\n?(?![\\s\\S]))'
    if (escaped === 'h') return '[ \\t]'
    const set = name === undefined || not === '^' ? undefined : posixClasses[name]
    return set ?? whole
  })
}

function stripExtended (source: string): string {
  let result = ''
  let inClass = false
  for (let i = 0; i < source.length; i++) {
    const character = source[i] ?? ''
    if (character === '\\') {
      result += character + (source[++i] ?? '')
      continue
    }
    if (character === '[') inClass = true
    if (character === ']') inClass = false
    if (!inClass && /\s/.test(character)) continue
    if (!inClass && character === '#') {
      while (i < source.length && source[i] !== '\n') i++
      continue
    }
    result += character
  }
  return result
}

/** Matches strings and symbols by pattern, and stored regular expressions that are the same. */
export function regexTest (regex: unknown, options?: string): ValueTest {
  const parts = regexParts(regex)
  return patternTest(parts.pattern, options ?? parts.options)
}

export function patternTest (pattern: string, options: string): ValueTest {
  const compiled = compileRegex(pattern, options)
  const same = new BSONRegExp(pattern, options)
  return value => {
    if (typeof value === 'string') return compiled.test(value)
    if (value instanceof BSONSymbol) return compiled.test(textOf(value))
    return value instanceof BSONRegExp && compareValues(value, same) === 0
  }
}

export function isRegex (value: unknown): boolean {
  return value instanceof BSONRegExp || value instanceof RegExp
}
