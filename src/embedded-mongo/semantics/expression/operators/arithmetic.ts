import { Decimal128, Double, Int32, Long } from 'bson'
import { badValue, CommandError, typeMismatch } from '../../errors.js'
import { add, divide, fitsLong, modulo, multiply, numericTypeOf, packDecimal, packInteger, roundTo, subtract, toBigInt, toDecimal, widerType } from '../../values/arithmetic.js'
import { toInteger, toNumber } from '../../values/numbers.js'
import { typeNameOf } from '../../values/types.js'
import { binary, isNullish, unaryOrNull, variadic, type OperatorTable } from './define.js'

/** `$add`: numbers, and at most one date, to which the numbers are milliseconds. */
export function sumOf (values: unknown[]): unknown {
  let total: unknown = new Int32(0)
  let date: Date | undefined
  for (const value of values) {
    if (isNullish(value)) return null
    if (value instanceof Date) {
      if (date !== undefined) throw badValue('only one date allowed in an $add expression')
      date = value
    } else if (numericTypeOf(value) === undefined) {
      throw typeMismatch(`$add only supports numeric or date types, not ${typeNameOf(value)}`)
    } else {
      total = add(total, value)
    }
  }
  return date === undefined ? total : new Date(date.getTime() + Math.round(toNumber(total)))
}

function difference (a: unknown, b: unknown): unknown {
  if (isNullish(a) || isNullish(b)) return null
  if (numericTypeOf(a) !== undefined && numericTypeOf(b) !== undefined) return subtract(a, b)
  if (a instanceof Date && b instanceof Date) return Long.fromNumber(a.getTime() - b.getTime())
  if (a instanceof Date && numericTypeOf(b) !== undefined) return new Date(a.getTime() - Math.round(toNumber(b)))
  throw typeMismatch(`can't $subtract ${typeNameOf(b)} from ${typeNameOf(a)}`)
}

function product (values: unknown[]): unknown {
  let total: unknown = new Int32(1)
  for (const value of values) {
    if (isNullish(value)) return null
    if (numericTypeOf(value) === undefined) throw typeMismatch(`$multiply only supports numeric types, not ${typeNameOf(value)}`)
    total = multiply(total, value)
  }
  return total
}

function quotient (a: unknown, b: unknown): unknown {
  if (isNullish(a) || isNullish(b)) return null
  if (numericTypeOf(a) === undefined || numericTypeOf(b) === undefined) {
    throw typeMismatch(`$divide only supports numeric types, not ${typeNameOf(a)} and ${typeNameOf(b)}`)
  }
  if (toNumber(b) === 0) throw badValue("can't $divide by zero")
  return divide(a, b)
}

function remainder (a: unknown, b: unknown): unknown {
  if (isNullish(a) || isNullish(b)) return null
  if (numericTypeOf(a) === undefined || numericTypeOf(b) === undefined) {
    throw new CommandError(16611, `$mod only supports numeric types, not ${typeNameOf(a)} and ${typeNameOf(b)}`)
  }
  if (toNumber(b) === 0) throw new CommandError(16610, "can't $mod by zero")
  return modulo(a, b)
}

function needNumber (name: string, value: unknown): void {
  if (numericTypeOf(value) === undefined) throw new CommandError(28765, `${name} only supports numeric types, not ${typeNameOf(value)}`)
}

function absolute (value: unknown): unknown {
  needNumber('$abs', value)
  const type = numericTypeOf(value)
  if (type === 'double') return new Double(Math.abs(toNumber(value)))
  if (type === 'decimal') {
    const exact = toDecimal(value)
    if (typeof exact === 'number') return packDecimal(Math.abs(exact))
    return packDecimal({ ...exact, coefficient: exact.coefficient < 0n ? -exact.coefficient : exact.coefficient })
  }
  const whole = toBigInt(value)
  const magnitude = whole < 0n ? -whole : whole
  if (!fitsLong(magnitude)) throw new CommandError(28680, "can't take $abs of long long min")
  return packInteger(magnitude, type ?? 'int')
}

function rounding (name: '$round' | '$trunc', values: unknown[]): unknown {
  const [value, place = new Int32(0)] = values
  if (isNullish(value) || isNullish(place)) return null
  needRoundable(name, value)
  const digits = toInteger(place)
  if (digits === undefined) throw new CommandError(51082, `precision argument to  ${name} must be a integral value`)
  if (digits < -20 || digits > 100) throw new CommandError(51083, `cannot apply ${name} with precision value ${digits} value must be in [-20, 100]`)
  return roundTo(value, digits, name === '$round' ? 'halfEven' : 'trunc')
}

function needRoundable (name: string, value: unknown): void {
  if (numericTypeOf(value) === undefined) throw new CommandError(51081, `${name} only supports numeric types, not ${typeNameOf(value)}`)
}

/** `$pow` keeps integers while base, exponent and result are whole and fit; a decimal operand gives a decimal. */
function power (a: unknown, b: unknown): unknown {
  if (isNullish(a) || isNullish(b)) return null
  const first = numericTypeOf(a)
  const second = numericTypeOf(b)
  if (first === undefined) throw new CommandError(28762, `$pow's base must be numeric, not ${typeNameOf(a)}`)
  if (second === undefined) throw new CommandError(28763, `$pow's exponent must be numeric, not ${typeNameOf(b)}`)
  if (toNumber(a) === 0 && toNumber(b) < 0) throw new CommandError(28764, '$pow cannot take a base of 0 and a negative exponent')
  const type = widerType(first, second)
  if ((type === 'int' || type === 'long') && toNumber(b) >= 0 && Math.abs(toNumber(a)) ** toNumber(b) < 1e19) {
    return packInteger(toBigInt(a) ** toBigInt(b), type)
  }
  const result = toNumber(a) ** toNumber(b)
  return type === 'decimal' ? packDecimal(decimalPower(a, b) ?? result) : new Double(result)
}

function decimalPower (a: unknown, b: unknown): ReturnType<typeof toDecimal> | undefined {
  const base = toDecimal(a)
  const exponent = toInteger(b)
  if (typeof base === 'number' || exponent === undefined || exponent < 0 || exponent > 200) return undefined
  return { coefficient: base.coefficient ** BigInt(exponent), exponent: base.exponent * exponent }
}

/** A function of the reals: a double, or a decimal (to double precision) for a decimal. */
function real (name: string, compute: (value: number) => number, check?: (value: number) => CommandError | undefined) {
  return unaryOrNull(name, value => {
    needNumber(name, value)
    const number = toNumber(value)
    const problem = check?.(number)
    if (problem !== undefined) throw problem
    const result = compute(number)
    return value instanceof Decimal128 ? packDecimal(toDecimal(new Double(result))) : new Double(result)
  })
}

function within (name: string, least: number, most: number) {
  return (value: number) => value < least || value > most
    ? new CommandError(50989, `cannot apply ${name} to ${value}, value must be in [${least === -Infinity ? '-inf' : least},${most === Infinity ? 'inf' : most}]`)
    : undefined
}

function finite (name: string) {
  return (value: number) => Math.abs(value) === Infinity ? new CommandError(50989, `cannot apply ${name} to ${value > 0 ? 'inf' : '-inf'}, value must be in (-inf,inf)`) : undefined
}

function positive (name: string, code: number) {
  return (value: number) => value <= 0 ? new CommandError(code, `${name}'s argument must be a positive number, but is ${value}`) : undefined
}

function logarithm (a: unknown, b: unknown): unknown {
  if (isNullish(a) || isNullish(b)) return null
  if (numericTypeOf(a) === undefined) throw new CommandError(28756, `$log's argument must be numeric, not ${typeNameOf(a)}`)
  if (numericTypeOf(b) === undefined) throw new CommandError(28757, `$log's base must be numeric, not ${typeNameOf(b)}`)
  if (toNumber(a) <= 0) throw new CommandError(28758, `$log's argument must be a positive number, but is ${toNumber(a)}`)
  if (toNumber(b) <= 0 || toNumber(b) === 1) throw new CommandError(28759, `$log's base must be a positive number not equal to 1, but is ${toNumber(b)}`)
  return new Double(Math.log(toNumber(a)) / Math.log(toNumber(b)))
}

function bitwise (name: string, start: bigint, combine: (a: bigint, b: bigint) => bigint) {
  return variadic(name, values => {
    let result = start
    let long = false
    for (const value of values) {
      if (isNullish(value)) return null
      const type = numericTypeOf(value)
      if (type !== 'int' && type !== 'long') throw typeMismatch(`${name} only supports int and long operands.`)
      long ||= type === 'long'
      result = combine(result, toBigInt(value))
    }
    return packInteger(result, long ? 'long' : 'int')
  })
}

export const arithmeticOperators: OperatorTable = {
  $add: variadic('$add', sumOf),
  $subtract: binary('$subtract', difference),
  $multiply: variadic('$multiply', product),
  $divide: binary('$divide', quotient),
  $mod: binary('$mod', remainder),
  $abs: unaryOrNull('$abs', absolute),
  $ceil: unaryOrNull('$ceil', value => { needNumber('$ceil', value); return roundTo(value, 0, 'ceil') }),
  $floor: unaryOrNull('$floor', value => { needNumber('$floor', value); return roundTo(value, 0, 'floor') }),
  $round: variadic('$round', values => rounding('$round', values), 1, 2),
  $trunc: variadic('$trunc', values => rounding('$trunc', values), 1, 2),
  $pow: binary('$pow', power),
  $sqrt: real('$sqrt', Math.sqrt, value => value < 0 ? new CommandError(28714, '$sqrt\'s argument must be greater than or equal to 0') : undefined),
  $exp: real('$exp', Math.exp),
  $ln: real('$ln', Math.log, positive('$ln', 28766)),
  $log: binary('$log', logarithm),
  $log10: real('$log10', Math.log10, positive('$log10', 28761)),
  $sin: real('$sin', Math.sin, finite('$sin')),
  $cos: real('$cos', Math.cos, finite('$cos')),
  $tan: real('$tan', Math.tan, finite('$tan')),
  $asin: real('$asin', Math.asin, within('$asin', -1, 1)),
  $acos: real('$acos', Math.acos, within('$acos', -1, 1)),
  $atan: real('$atan', Math.atan),
  $sinh: real('$sinh', Math.sinh),
  $cosh: real('$cosh', Math.cosh),
  $tanh: real('$tanh', Math.tanh),
  $asinh: real('$asinh', Math.asinh),
  $acosh: real('$acosh', Math.acosh, within('$acosh', 1, Infinity)),
  $atanh: real('$atanh', Math.atanh, within('$atanh', -1, 1)),
  $atan2: binary('$atan2', (a, b) => {
    if (isNullish(a) || isNullish(b)) return null
    if (numericTypeOf(a) === undefined || numericTypeOf(b) === undefined) throw new CommandError(51044, `$atan2 only supports numeric types, not ${typeNameOf(a)} and ${typeNameOf(b)}`)
    return new Double(Math.atan2(toNumber(a), toNumber(b)))
  }),
  $degreesToRadians: real('$degreesToRadians', value => value * (Math.PI / 180)),
  $radiansToDegrees: real('$radiansToDegrees', value => value * (180 / Math.PI)),
  $bitAnd: bitwise('$bitAnd', -1n, (a, b) => a & b),
  $bitOr: bitwise('$bitOr', 0n, (a, b) => a | b),
  $bitXor: bitwise('$bitXor', 0n, (a, b) => a ^ b),
  $bitNot: unaryOrNull('$bitNot', value => {
    const type = numericTypeOf(value)
    if (type !== 'int' && type !== 'long') throw new CommandError(28765, `$bitNot only supports int and long, not: ${typeNameOf(value)}.`)
    return packInteger(~toBigInt(value), type)
  }),
  $rand: () => () => new Double(Math.random()),
}
