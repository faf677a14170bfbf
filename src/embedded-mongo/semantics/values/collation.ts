import { badValue, CommandError, ErrorCodes } from '../errors.js'
import { toNumber } from './numbers.js'
import { isDocument } from './types.js'
import type { Collation } from '../types.js'

/**
 * Checks a command's `collation` and returns undefined for the simple one, so that callers can skip the work.
 * @throws CommandError 40414 for a missing locale, 40415 for an unknown option, 2 for a value that it cannot have
 */
export function normalizeCollation (value: unknown): Collation | undefined {
  if (value === undefined || value === null) return undefined
  if (!isDocument(value)) throw new CommandError(ErrorCodes.TypeMismatch, 'collation must be a document')
  if (Object.keys(value).length === 0) return undefined
  const { locale, strength } = value
  const unknown = Object.keys(value).find(option => !options.has(option))
  if (unknown !== undefined) throw new CommandError(40415, `BSON field 'collation.${unknown}' is an unknown field.`)
  if (typeof locale !== 'string') {
    throw new CommandError(40414, "BSON field 'collation.locale' is missing but a required field")
  }
  if (locale === 'simple') return undefined
  if (strength !== undefined) {
    const level = toNumber(strength)
    if (!Number.isInteger(level) || level < 1 || level > 5) {
      throw badValue(`Collation strength must be between 1 and 5, but received ${String(level)}`)
    }
  }
  if (!isKnownLocale(locale)) throw badValue(`Field 'locale' is invalid in: { locale: "${locale}" }`)
  for (const [option, values] of Object.entries(choices)) {
    const given = value[option]
    if (given !== undefined && !values.includes(String(given))) throw badValue(`Enumeration value '${String(given)}' for field 'collation.${option}' is not a valid value.`)
  }
  return { ...value, locale }
}

const options = new Set([
  'locale', 'caseLevel', 'caseFirst', 'strength', 'numericOrdering', 'alternate', 'maxVariable', 'normalization', 'backwards', 'version'
])
const choices: Record<string, string[]> = { caseFirst: ['upper', 'lower', 'off'], alternate: ['non-ignorable', 'shifted'], maxVariable: ['punct', 'space'] }

const locales = new Map<string, boolean>()

function isKnownLocale (locale: string): boolean {
  let isKnown = locales.get(locale)
  if (isKnown === undefined) {
    try {
      isKnown = Intl.Collator.supportedLocalesOf(locale.split('@', 1)[0]!.replaceAll('_', '-')).length > 0
    } catch {
      isKnown = false
    }
    if (locales.size < 1_000) locales.set(locale, isKnown)
  }
  return isKnown
}

/** ICU's root order of printable ASCII: spaces, punctuation, symbols, digits, letters. */
const asciiOrder = ' _-,;:!?.\'"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz'
const asciiWeights = new Map([...asciiOrder].map((character, index) => [character, index + 0x21]))

interface Levels { strength: number, caseLevel: boolean, numeric: boolean, shifted: boolean }

const levelsOf = new WeakMap<Collation, Levels>()

function readLevels (collation: Collation): Levels {
  const known = levelsOf.get(collation)
  if (known !== undefined) return known
  const levels = {
    strength: collation.strength === undefined ? 3 : toNumber(collation.strength),
    caseLevel: collation.caseLevel === true,
    numeric: collation.numericOrdering === true,
    shifted: collation.alternate === 'shifted'
  }
  levelsOf.set(collation, levels)
  return levels
}

/**
 * A string whose code point order is the collation's order, equal exactly for strings that the collation
 * holds equal. JavaScript has no ICU sort keys, and an index needs keys that stay the same from one release
 * of ICU to the next; so these are made after the Unicode collation algorithm with the root order of ASCII,
 * other letters following by their base letter: base letters, then accents, then case.
 */
export function collationKey (text: string, collation: Collation): string {
  const { strength, caseLevel, numeric, shifted } = readLevels(collation)
  let base = ''
  let accents = ''
  let cases = ''
  for (const character of text.normalize('NFKD')) {
    if (/\p{Mn}/u.test(character)) {
      accents += character
      continue
    }
    const lower = character.toLowerCase()
    const weight = asciiWeights.get(lower)
    if (shifted && weight !== undefined && weight < 0x21 + 33) continue
    base += weight === undefined ? (lower < ' ' ? '' : lower === '\u00df' ? collationKey('ss', { locale: 'en', strength: 1 }) : lower) : String.fromCharCode(weight)
    accents += '\u0002'
    cases += lower === character ? '\u0001' : '\u0002'
  }
  if (numeric) base = padNumbers(base)
  if (strength === 1) return caseLevel ? `${base}\u0000${cases}` : base
  while (accents.endsWith('\u0002')) accents = accents.slice(0, -1)
  if (strength === 2) return caseLevel ? `${base}\u0000${accents}\u0000${cases}` : `${base}\u0000${accents}`
  return `${base}\u0000${accents}\u0000${cases}`
}

const digitWeights = new RegExp(`[${String.fromCharCode(asciiWeights.get('0') ?? 0)}-${String.fromCharCode(asciiWeights.get('9') ?? 0)}]+`, 'g')
const zeroWeight = String.fromCharCode(asciiWeights.get('0') ?? 0)

/** Puts the length of each run of digits before it, so that longer numbers sort after shorter ones. */
function padNumbers (base: string): string {
  return base.replace(digitWeights, run => {
    let start = 0
    while (start < run.length - 1 && run[start] === zeroWeight) start += 1
    const digits = run.slice(start)
    return `${zeroWeight}${String.fromCharCode(0x100 + Math.min(digits.length, 0xd000))}${digits}`
  })
}
