import { Int32, Long, ObjectId, Timestamp } from 'bson'
import { CommandError, ErrorCodes } from '../../errors.js'
import { toInteger, toNumber } from '../../values/numbers.js'
import { isDocument, isNumeric, typeNameOf } from '../../values/types.js'
import { compileExpression } from '../compile.js'
import { addUnits, differenceIn, parseUnit, truncateDate, weekday } from './date-units.js'
import { dayOfYear, formatDate, isoWeek, weekOfYear } from './date-format.js'
import { isoWeekTime, parseFormattedDate, parseIsoDate } from './date-parse.js'
import { isNullish, named, type Arguments, type Operator, type OperatorTable } from './define.js'
import { fromLocal, timeZone, toLocal, utcTime } from './time-zone.js'

/** Dates, and what holds a time: ObjectId and Timestamp. */
function asDate (value: unknown): Date {
  if (value instanceof Date) return value
  if (value instanceof ObjectId) return value.getTimestamp()
  if (value instanceof Timestamp) return new Date(value.getHighBitsUnsigned() * 1000)
  throw new CommandError(16006, `can't convert from BSON type ${typeNameOf(value)} to Date`)
}

/** `$year` and its kin: the operand is a date, or `{ date, timezone }`. */
function datePart (name: string, read: (local: Date) => unknown): Operator {
  return (operand, scope) => {
    const full = isDocument(operand) && Object.keys(operand).some(key => !key.startsWith('$'))
    if (full) {
      for (const key of Object.keys(operand)) if (key !== 'date' && key !== 'timezone') throw new CommandError(40535, `unrecognized option to ${name}: "${key}"`)
      if (!('date' in operand)) throw new CommandError(40539, `missing 'date' argument to ${name}, provided: ${Object.keys(operand).join(', ')}`)
    }
    if (Array.isArray(operand) && operand.length !== 1) throw new CommandError(40536, `${name} accepts exactly one argument if given an array, but was given ${operand.length}`)
    const date = compileExpression(full ? operand.date : Array.isArray(operand) ? operand[0] : operand, scope)
    const zone = full && 'timezone' in operand ? compileExpression(operand.timezone, scope) : () => 'UTC'
    return frame => {
      const value = date(frame)
      const where = zone(frame)
      if (isNullish(value) || isNullish(where)) return null
      return read(toLocal(asDate(value).getTime(), timeZone(where)))
    }
  }
}

const timeKeys = ['hour', 'minute', 'second', 'millisecond']

function dateFromParts (values: Arguments): unknown {
  if (Object.values(values).some(isNullish)) return null
  const part = (key: string, otherwise: number): number => {
    const value = values[key]
    if (value === undefined) return otherwise
    const number = isNumeric(value) ? toInteger(value) : undefined
    if (number === undefined) throw new CommandError(40515, `'${key}' must evaluate to an integer, found ${typeNameOf(value)} with value ${String(value)}`)
    if (Math.abs(number) > 32768 && !timeKeys.includes(key)) throw new CommandError(31034, `'${key}' must evaluate to a value in the range [-32768, 32767]; value ${number} is not in range`)
    return number
  }
  const [hour, minute, second, millisecond] = timeKeys.map(key => part(key, 0)) as [number, number, number, number]
  const zone = timeZone(values.timezone)
  if ('isoWeekYear' in values) {
    const day = isoWeekTime(part('isoWeekYear', 1970), part('isoWeek', 1), part('isoDayOfWeek', 1))
    return new Date(fromLocal(day + utcTime(1970, 1, 1, hour, minute, second, millisecond), zone))
  }
  if (!('year' in values)) throw new CommandError(40516, "$dateFromParts requires either 'year' or 'isoWeekYear' to be present")
  const year = part('year', 1970)
  if (year < 1 || year > 9999) throw new CommandError(40523, `'year' must evaluate to an integer in the range 1 to 9999, found ${year}`)
  return new Date(fromLocal(utcTime(year, part('month', 1), part('day', 1), hour, minute, second, millisecond), zone))
}

function dateToParts ({ date, timezone, iso8601 }: Arguments): unknown {
  if (isNullish(date) || timezone === null || iso8601 === null) return null
  const local = toLocal(asDate(date).getTime(), timeZone(timezone))
  const time = {
    hour: new Int32(local.getUTCHours()),
    minute: new Int32(local.getUTCMinutes()),
    second: new Int32(local.getUTCSeconds()),
    millisecond: new Int32(local.getUTCMilliseconds())
  }
  if (iso8601 === true) {
    const { year, week } = isoWeek(local)
    return { isoWeekYear: new Int32(year), isoWeek: new Int32(week), isoDayOfWeek: new Int32(local.getUTCDay() || 7), ...time }
  }
  return { year: new Int32(local.getUTCFullYear()), month: new Int32(local.getUTCMonth() + 1), day: new Int32(local.getUTCDate()), ...time }
}

function dateToString (values: Arguments): unknown {
  const { date, timezone, format, onNull = null } = values
  if (isNullish(date)) return onNull
  if (timezone === null || format === null) return null
  const zone = timeZone(timezone)
  if (format !== undefined && typeof format !== 'string') throw new CommandError(18533, `$dateToString requires that 'format' be a string, found: ${typeNameOf(format)}`)
  return formatDate(asDate(date), format ?? (zone.utc ? '%Y-%m-%dT%H:%M:%S.%LZ' : '%Y-%m-%dT%H:%M:%S.%L'), zone)
}

function dateFromString (values: Arguments): unknown {
  const { dateString, format, timezone, onNull = null } = values
  if (isNullish(dateString)) return onNull
  if (timezone === null || format === null) return null
  try {
    if (typeof dateString !== 'string') throw new CommandError(ErrorCodes.ConversionFailure, `$dateFromString requires that 'dateString' be a string, found: ${typeNameOf(dateString)} with value ${String(dateString)}`)
    const zone = timezone === undefined ? undefined : timeZone(timezone)
    return typeof format === 'string' ? parseFormattedDate(dateString, format, zone) : parseIsoDate(dateString, zone)
  } catch (error) {
    if ('onError' in values && error instanceof CommandError && error.code === ErrorCodes.ConversionFailure) return values.onError
    throw error
  }
}

function wholeAmount (name: string, key: string, value: unknown): number {
  const number = isNumeric(value) ? toInteger(value) : undefined
  if (number === undefined) throw new CommandError(5166405, `${name} expects integer ${key} of time units`)
  return number
}

function dateArithmetic (name: '$dateAdd' | '$dateSubtract', sign: 1 | -1): Operator {
  return named(name, ['startDate', 'unit', 'amount'], ['timezone'], ({ startDate, unit, amount, timezone }) => {
    if (isNullish(startDate) || isNullish(unit) || isNullish(amount) || timezone === null) return null
    const start = requireDate(name, 'startDate', startDate)
    return new Date(addUnits(start.getTime(), parseUnit(name, unit), wholeAmount(name, 'amount', amount) * sign, timeZone(timezone)))
  }, { unknown: 5166401, missing: 5166402, notObject: 5166400 })
}

function requireDate (name: string, key: string, value: unknown): Date {
  if (value instanceof Date || value instanceof ObjectId || value instanceof Timestamp) return asDate(value)
  throw new CommandError(name === '$dateTrunc' ? 5439012 : 5166403, `${name} requires '${key}' to be a date, but got ${typeNameOf(value)}`)
}

function dateDiff (values: Arguments): unknown {
  const { startDate, endDate, unit, timezone, startOfWeek } = values
  if (isNullish(startDate) || isNullish(endDate) || isNullish(unit) || timezone === null || startOfWeek === null) return null
  const kind = parseUnit('$dateDiff', unit)
  const first = kind === 'week' ? weekday('$dateDiff', startOfWeek) : 0
  return Long.fromNumber(differenceIn(kind, requireDate('$dateDiff', 'startDate', startDate).getTime(), requireDate('$dateDiff', 'endDate', endDate).getTime(), timeZone(timezone), first))
}

function dateTrunc (values: Arguments): unknown {
  const { date, unit, binSize = new Int32(1), timezone, startOfWeek } = values
  if (isNullish(date) || isNullish(unit) || binSize === null || timezone === null || startOfWeek === null) return null
  const size = isNumeric(binSize) ? toInteger(binSize) : undefined
  if (size === undefined) throw new CommandError(5439017, `$dateTrunc requires 'binSize' to be a 64-bit integer, but got value '${String(binSize)}' of type ${typeNameOf(binSize)}`)
  if (size <= 0) throw new CommandError(5439018, `$dateTrunc requires 'binSize' to be greater than 0, but got value ${toNumber(binSize)}`)
  const kind = parseUnit('$dateTrunc', unit)
  const first = kind === 'week' ? weekday('$dateTrunc', startOfWeek) : 0
  return new Date(truncateDate(requireDate('$dateTrunc', 'date', date).getTime(), kind, size, timeZone(timezone), first))
}

const integer = (read: (local: Date) => number) => (local: Date) => new Int32(read(local))

export const dateOperators: OperatorTable = {
  $year: datePart('$year', integer(local => local.getUTCFullYear())),
  $month: datePart('$month', integer(local => local.getUTCMonth() + 1)),
  $dayOfMonth: datePart('$dayOfMonth', integer(local => local.getUTCDate())),
  $hour: datePart('$hour', integer(local => local.getUTCHours())),
  $minute: datePart('$minute', integer(local => local.getUTCMinutes())),
  $second: datePart('$second', integer(local => local.getUTCSeconds())),
  $millisecond: datePart('$millisecond', integer(local => local.getUTCMilliseconds())),
  $dayOfYear: datePart('$dayOfYear', integer(dayOfYear)),
  $dayOfWeek: datePart('$dayOfWeek', integer(local => local.getUTCDay() + 1)),
  $week: datePart('$week', integer(weekOfYear)),
  $isoDayOfWeek: datePart('$isoDayOfWeek', integer(local => local.getUTCDay() || 7)),
  $isoWeek: datePart('$isoWeek', integer(local => isoWeek(local).week)),
  $isoWeekYear: datePart('$isoWeekYear', local => wrapLong(isoWeek(local).year)),
  $dateFromParts: named('$dateFromParts', [], ['year', 'month', 'day', 'isoWeekYear', 'isoWeek', 'isoDayOfWeek', ...timeKeys, 'timezone'], dateFromParts, { notObject: 40519, unknown: 40518 }),
  $dateToParts: named('$dateToParts', ['date'], ['timezone', 'iso8601'], dateToParts, { notObject: 40524, unknown: 40520, missing: 40522 }),
  $dateToString: named('$dateToString', ['date'], ['format', 'timezone', 'onNull'], dateToString, { notObject: 18629, unknown: 18534, missing: 18628 }),
  $dateFromString: named('$dateFromString', ['dateString'], ['format', 'timezone', 'onError', 'onNull'], dateFromString, { notObject: 40540, unknown: 40541, missing: 40542 }),
  $dateAdd: dateArithmetic('$dateAdd', 1),
  $dateSubtract: dateArithmetic('$dateSubtract', -1),
  $dateDiff: named('$dateDiff', ['startDate', 'endDate', 'unit'], ['timezone', 'startOfWeek'], dateDiff, { notObject: 5166301, unknown: 5166302, missing: 5166303 }),
  $dateTrunc: named('$dateTrunc', ['date', 'unit'], ['binSize', 'timezone', 'startOfWeek'], dateTrunc, { notObject: 5439007, unknown: 5439008, missing: 5439009 })
}

function wrapLong (value: number): unknown {
  return Long.fromNumber(value)
}
