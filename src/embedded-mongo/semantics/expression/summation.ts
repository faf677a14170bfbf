import { Decimal128, Double, Int32, Long } from 'bson'
import { add, divide, numericTypeOf, packDecimal, packInteger, toBigInt, toDecimal } from '../values/arithmetic.js'
import { toNumber } from '../values/numbers.js'

/**
 * A running sum that keeps MongoDB's types: int32 becomes int64 when it must, then double; doubles are added
 * with compensation (Neumaier), so that ten times 0.1 is 1; one decimal makes the sum a decimal.
 */
export class Summation {
  #count = 0
  #whole = 0
  #large = 0n
  #long = false
  #double = false
  #sum = 0
  #compensation = 0
  #decimal: unknown = null

  /** Adds a number; anything else is passed over. */
  add (value: unknown): void {
    if (value instanceof Double) return this.#addDouble(value.value)
    if (value instanceof Int32) return this.#addWhole(value.value)
    const type = numericTypeOf(value)
    if (type === undefined) return
    if (type === 'double') return this.#addDouble(toNumber(value))
    if (type === 'int') return this.#addWhole(toNumber(value))
    this.#count += 1
    if (type === 'long') {
      this.#long = true
      this.#large += toBigInt(value)
    } else {
      this.#decimal = this.#decimal === null ? value : add(this.#decimal, value)
    }
  }

  get count (): number {
    return this.#count
  }

  #addWhole (value: number): void {
    this.#count += 1
    this.#whole += value
    if (Math.abs(this.#whole) > 2 ** 52) {
      this.#large += BigInt(this.#whole)
      this.#whole = 0
    }
  }

  #addDouble (value: number): void {
    this.#count += 1
    this.#double = true
    const total = this.#sum + value
    if (Number.isFinite(total)) {
      this.#compensation += Math.abs(this.#sum) >= Math.abs(value) ? (this.#sum - total) + value : (value - total) + this.#sum
    }
    this.#sum = total
  }

  total (): unknown {
    const whole = this.#large + BigInt(this.#whole)
    if (this.#decimal !== null) {
      const doubles = this.#double ? packDecimal(toDecimal(new Double(this.#sum + this.#compensation))) : new Int32(0)
      return add(add(this.#decimal, doubles), packInteger(whole, 'long'))
    }
    if (this.#double) return new Double(this.#doubleTotal(whole))
    return packInteger(whole, this.#long ? 'long' : 'int')
  }

  #doubleTotal (whole: bigint): number {
    if (whole === 0n) return this.#sum + this.#compensation
    return (this.#sum + Number(whole)) + this.#compensation
  }

  mean (): unknown {
    if (this.#count === 0) return null
    const total = this.total()
    if (total instanceof Decimal128) return divide(total, Long.fromNumber(this.#count))
    return new Double(toNumber(total) / this.#count)
  }
}

/** Mean and variance in one pass (Welford). */
export class Deviation {
  #count = 0
  #mean = 0
  #squares = 0

  add (value: unknown): void {
    if (numericTypeOf(value) === undefined) return
    const number = toNumber(value)
    this.#count += 1
    const delta = number - this.#mean
    this.#mean += delta / this.#count
    this.#squares += delta * (number - this.#mean)
  }

  result (sample: boolean): unknown {
    const divisor = sample ? this.#count - 1 : this.#count
    return divisor <= 0 ? null : new Double(Math.sqrt(this.#squares / divisor))
  }
}
