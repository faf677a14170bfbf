import { badValue, CommandError, ErrorCodes } from '../errors.js'
import { compilePredicate } from '../expression/predicate.js'
import { matchPosition, pathMatcher, type ValueTest } from '../paths/walk.js'
import type { Document, FilterOptions } from '../types.js'
import { toNumber } from '../values/numbers.js'
import { isDocument } from '../values/types.js'
import { equalTest, membershipTest, orderTest } from './compare-tests.js'
import { compileSchema } from './json-schema.js'
import { isRegex, patternTest, regexTest } from './regex.js'
import { truthy } from './truth.js'
import { bitsTest, modTest, sizeTest, typeTest } from './type-tests.js'

export type Matcher = (doc: Document) => boolean

/** Operators that stand at the top of a filter rather than under a field. */
const logical = new Set(['$and', '$or', '$nor'])

/**
 * Compiles a query filter, once for a command, into a function that tells whether a document matches.
 * @throws CommandError 2 BadValue and others, in MongoDB's words, for what is not a filter
 */
export function compileFilter (filter: Document, options: FilterOptions = {}): Matcher {
  const matchers: Matcher[] = []
  for (const [name, value] of Object.entries(filter)) {
    const matcher = name.startsWith('$') ? compileTop(name, value, options) : compileField(name, value, options)
    if (matcher !== undefined) matchers.push(matcher)
  }
  return allOf(matchers)
}

function allOf<Input> (matchers: Array<(input: Input) => boolean>): (input: Input) => boolean {
  const [first, second] = matchers
  if (first === undefined) return () => true
  if (second === undefined) return first
  if (matchers.length === 2) return input => first(input) && second(input)
  return input => {
    for (const matcher of matchers) if (!matcher(input)) return false
    return true
  }
}

/** Matching inside a negation must not move the position that positional `$` uses. */
function negate<Input> (matcher: (input: Input) => boolean): (input: Input) => boolean {
  return input => {
    const { index } = matchPosition
    const matched = matcher(input)
    matchPosition.index = index
    return !matched
  }
}

function compileTop (name: string, value: unknown, options: FilterOptions): Matcher | undefined {
  switch (name) {
    case '$and': return allOf(compileList(name, value, options))
    case '$or': return anyOf(compileList(name, value, options))
    case '$nor': return negate(anyOf(compileList(name, value, options)))
    case '$expr': return compilePredicate(value, options)
    case '$jsonSchema': {
      if (!isDocument(value)) throw new CommandError(ErrorCodes.TypeMismatch, '$jsonSchema must be an object')
      return compileSchema(value)
    }
    case '$comment': return undefined
    case '$alwaysTrue': return undefined
    case '$alwaysFalse': return () => false
    case '$sampleRate': {
      const rate = toNumber(value)
      if (!(rate >= 0 && rate <= 1)) throw badValue('$sampleRate requires a number between 0 and 1')
      return () => Math.random() < rate
    }
    case '$where': throw badValue('no globalScriptEngine in $where parsing')
    case '$text': throw new CommandError(ErrorCodes.IndexNotFound, 'text index required for $text query')
    default: throw badValue(`unknown top level operator: ${name}. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.`)
  }
}

function compileList (name: string, value: unknown, options: FilterOptions): Matcher[] {
  if (!Array.isArray(value)) throw badValue(`${name} argument must be an array`)
  if (value.length === 0) throw badValue('$and/$or/$nor must be a nonempty array')
  return value.map((item: unknown) => {
    if (!isDocument(item)) throw badValue('$or/$and/$nor entries need to be full objects')
    return compileFilter(item, options)
  })
}

function anyOf (matchers: Matcher[]): Matcher {
  return doc => {
    for (const matcher of matchers) if (matcher(doc)) return true
    return false
  }
}

/** True for `{ $gt: … }`; a DBRef (`$ref`, `$id`) is a value. */
export function isOperatorDocument (value: unknown): value is Document {
  if (!isDocument(value)) return false
  const [name] = Object.keys(value)
  return name?.startsWith('$') === true && name !== '$ref' && name !== '$id' && name !== '$db'
}

function compileField (path: string, value: unknown, options: FilterOptions): Matcher {
  if (isRegex(value)) return pathMatcher(path, regexTest(value))
  if (isOperatorDocument(value)) return allOf(compileOperators<Document>((test, expandLast) => pathMatcher(path, test, expandLast), value, options))
  if (value === undefined) throw badValue('cannot compare to undefined')
  return pathMatcher(path, equalTest(value, options.collation))
}

/** Applies a test of single values to the input: to what a path means in a document, or to an array element itself. */
type Bind<Input> = (test: ValueTest, expandLast?: boolean) => (input: Input) => boolean

/** The conditions of one field, such as `{ $gte: 1, $lt: 5 }`; each may be met by another array element. */
function compileOperators<Input> (bind: Bind<Input>, operators: Document, options: FilterOptions): Array<(input: Input) => boolean> {
  const matchers: Array<(input: Input) => boolean> = []
  for (const [name, operand] of Object.entries(operators)) {
    if (!name.startsWith('$')) throw badValue(`unknown operator: ${name}`)
    if (name === '$options') {
      if (operators.$regex === undefined) throw badValue('$options needs a $regex')
      continue
    }
    if (name !== '$comment') matchers.push(compileOperator(bind, name, operand, operators, options))
  }
  return matchers
}

function compileOperator<Input> (bind: Bind<Input>, name: string, operand: unknown, siblings: Document, options: FilterOptions): (input: Input) => boolean {
  switch (name) {
    case '$ne':
      if (isRegex(operand)) throw badValue('Can\'t have regex as arg to $ne.')
      return negate(bind(valueTest('$eq', operand, siblings, options)))
    case '$nin': return negate(bind(inTest('$nin', operand, options)))
    case '$exists': {
      const exists = bind(value => value !== undefined, false)
      return truthy(operand) ? exists : negate(exists)
    }
    case '$not': return negate(notOperand(bind, operand, options))
    case '$all': return allMatcher(bind, operand, options)
    case '$elemMatch': return bind(elementTest(operand, options), false)
    case '$size': return bind(sizeTest(operand), false)
    default: return bind(valueTest(name, operand, siblings, options))
  }
}

function valueTest (name: string, operand: unknown, siblings: Document, options: FilterOptions): ValueTest {
  const { collation } = options
  switch (name) {
    case '$eq':
      if (operand === undefined) throw badValue('cannot compare to undefined')
      return equalTest(operand, collation)
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return orderTest(name, operand, collation)
    case '$in': return inTest('$in', operand, options)
    case '$type': return typeTest(operand)
    case '$mod': return modTest(operand)
    case '$regex': return regexOperand(operand, siblings.$options)
    case '$bitsAllSet':
    case '$bitsAllClear':
    case '$bitsAnySet':
    case '$bitsAnyClear':
      return bitsTest(name, operand)
    case '$geoWithin':
    case '$geoIntersects':
    case '$near':
    case '$nearSphere':
    case '$within':
      throw new CommandError(ErrorCodes.CommandNotSupported, `geospatial queries are not supported: ${name}`)
    case '$expr': throw badValue('$expr can only be applied to the top-level document')
    default: throw badValue(`unknown operator: ${name}`)
  }
}

function inTest (name: string, operand: unknown, { collation }: FilterOptions): ValueTest {
  if (!Array.isArray(operand)) throw badValue(`${name} needs an array`)
  const values: unknown[] = []
  const regexes: ValueTest[] = []
  for (const item of operand as unknown[]) {
    if (isOperatorDocument(item)) throw badValue('cannot nest $ under $in')
    if (isRegex(item)) regexes.push(regexTest(item))
    else values.push(item)
  }
  const member = membershipTest(values, collation)
  return regexes.length === 0 ? member : value => member(value) || regexes.some(regex => regex(value))
}

function notOperand<Input> (bind: Bind<Input>, operand: unknown, options: FilterOptions): (input: Input) => boolean {
  if (isRegex(operand)) return bind(regexTest(operand))
  if (!isDocument(operand)) throw badValue('$not needs a regex or a document')
  if (Object.keys(operand).length === 0) throw badValue('$not cannot be empty')
  return allOf(compileOperators(bind, operand, options))
}

function allMatcher<Input> (bind: Bind<Input>, operand: unknown, options: FilterOptions): (input: Input) => boolean {
  if (!Array.isArray(operand)) throw badValue('$all needs an array')
  const items = operand as unknown[]
  if (items.length === 0) return () => false
  const elements = items.filter(item => isDocument(item) && '$elemMatch' in item)
  if (elements.length > 0 && elements.length < items.length) throw badValue('$all/$elemMatch has to be consistent')
  return allOf(items.map(item => {
    if (isRegex(item)) return bind(regexTest(item))
    if (isDocument(item) && '$elemMatch' in item) return bind(elementTest(item.$elemMatch, options), false)
    if (isOperatorDocument(item)) throw badValue('no $ expressions in $all')
    return bind(equalTest(item, options.collation))
  }))
}

/** `$elemMatch`: one element must meet all conditions, given for its fields or for itself. */
export function elementTest (operand: unknown, options: FilterOptions): ValueTest {
  if (!isDocument(operand)) throw badValue('$elemMatch needs an Object')
  const names = Object.keys(operand)
  const first = names[0] ?? ''
  const onValue = first.startsWith('$') && !logical.has(first) && first !== '$expr' && first !== '$where' && first !== '$ref' && first !== '$id'
  const element = onValue ? valueMatcher(operand, options) : documentMatcher(operand, options)
  return value => {
    if (!Array.isArray(value)) return false
    for (let i = 0; i < value.length; i++) {
      if (element(value[i])) {
        matchPosition.index = i
        return true
      }
    }
    return false
  }
}

function documentMatcher (filter: Document, options: FilterOptions): ValueTest {
  const matcher = compileFilter(filter, options)
  return item => {
    if (isDocument(item)) return matcher(item)
    return Array.isArray(item) && matcher({ ...item })
  }
}

/** Conditions such as `{ $gte: 80, $lt: 85 }` on an element as it is; an element that is an array isn't entered. */
function valueMatcher (operators: Document, options: FilterOptions): ValueTest {
  return allOf(compileOperators<unknown>(test => test, operators, options))
}

function regexOperand (operand: unknown, options: unknown): ValueTest {
  if (options !== undefined && typeof options !== 'string') throw badValue('$options has to be a string')
  if (isRegex(operand)) return regexTest(operand, options)
  if (typeof operand !== 'string') throw badValue('$regex has to be a string')
  return patternTest(operand, options ?? '')
}

/** Whether a document matches, and the array index that positional `$` then means (−1 for none). */
export function matchWithPosition (matcher: Matcher, doc: Document): { matched: boolean, index: number } {
  matchPosition.index = -1
  const matched = matcher(doc)
  return { matched, index: matchPosition.index }
}
