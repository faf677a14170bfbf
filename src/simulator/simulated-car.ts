import type { SignalValue } from '../telemetry/signals.js'
import { car, chooseGear, driveForce, motorSpeed, resistance } from './drivetrain.js'
import { createFaults, type Faults } from './faults.js'
import { createRandom, type Random } from './random.js'
import type { SpeedLimits, Track } from './track.js'

/** Something worth an event. */
export type CarEvent =
  | { type: 'lap', lap: number, lapTime: number }
  | { type: 'battery-low', batteryPercentage: number }
  | { type: 'overheating', motorTemperature: number }

/** What a car reported before, to go on from. */
export type CarMemory = Partial<Record<string, SignalValue>>

export interface CarStep {
  /** Null while the car is silent. */
  values: Record<string, SignalValue> | null
  events: CarEvent[]
}

export interface SimulatedCar {
  readonly id: string
  /** Drives on for some seconds and reports. */
  step (seconds: number): CarStep
}

const SUBSTEP = 0.02
const AMBIENT = 22
const MOTOR_HEAT_CAPACITY = 60_000
const BATTERY_HEAT_CAPACITY = 220_000
const LOW_MARK = 20
const HOT = 110
const CHARGE_TO = 88
// A lap takes about nine percent.
const BOX_AT = 14
const round = (value: number, digits: number) => Math.round(value * 10 ** digits) / 10 ** digits
const numberOr = (value: SignalValue | undefined, fallback: number) => typeof value === 'number' ? value : fallback

/**
 * A car on the track: it drives as fast as corners, grip, power and its driver allow,
 * shifts, brakes by recuperating what the motor takes, heats and cools, comes to the
 * pits to charge, and now and then breaks down for a while. The same id and seed give the
 * same drive.
 * @param start metres past the line
 */
export function createSimulatedCar (id: string, track: Track, start: number, memory: CarMemory = {}, seed = ''): SimulatedCar {
  const random: Random = createRandom(seed === '' ? id : `${seed}/${id}`)
  const skill = random.between(0.9, 0.98)
  const limits: SpeedLimits = track.speedLimits({ lateral: car.lateral, braking: car.braking * 0.8 })
  const faults: Faults = createFaults(random)

  let distance = numberOr(memory.lapDistance, start)
  let speed = Math.min(limits(distance) * skill, 60)
  let gear = chooseGear(speed, 1)
  let throttle = 0
  let brake = 0
  let power = 0
  let energy = numberOr(memory.batteryPercentage, random.between(40, 95)) / 100 * car.batteryCapacity
  let motorTemperature = numberOr(memory.motorTemperature, random.between(62, 78))
  let batteryTemperature = numberOr(memory.batteryTemperature, random.between(34, 40))
  let odometer = numberOr(memory.odometer, random.between(200, 4000)) * 1000
  let lap = numberOr(memory.lap, 1)
  let lapTime = typeof memory.lapTime === 'number' ? memory.lapTime : undefined
  let lapClock = distance / 45
  let charging = false
  let mood = 1
  let hot = motorTemperature > HOT
  let low = energy < car.batteryCapacity * LOW_MARK / 100

  const charge = () => energy / car.batteryCapacity * 100

  /** Speed and pedals for the next moment. @returns acceleration in m/s² */
  const drive = (seconds: number): number => {
    const target = limits(distance + speed * seconds) * skill * mood
    const wanted = (target - speed) / seconds
    const share = faults.overheating && motorTemperature > HOT ? 0.55 : 1
    if (wanted >= 0) {
      const most = driveForce(speed, share)
      const force = Math.min(most, wanted * car.mass + resistance(speed))
      throttle = 100 * force / driveForce(speed, 1)
      brake = 0
      power = force * speed / car.motorEfficiency
      return (force - resistance(speed)) / car.mass
    }
    const slowing = Math.min(-wanted, car.braking + resistance(speed) / car.mass)
    const force = Math.max(0, slowing * car.mass - resistance(speed))
    throttle = 0
    brake = Math.min(100, 100 * force / (car.braking * car.mass))
    power = -Math.min(force * speed, car.maxRegeneration) * car.motorEfficiency
    return -slowing
  }

  const heat = (seconds: number) => {
    const motorLoss = Math.abs(charging ? 0 : power) * (1 - car.motorEfficiency)
    const motorCooling = (90 + 2.2 * speed) * (faults.overheating ? 0.3 : 1)
    motorTemperature += (motorLoss - motorCooling * (motorTemperature - AMBIENT)) * seconds / MOTOR_HEAT_CAPACITY
    const batteryLoss = Math.abs(power) * (1 - car.batteryEfficiency) * (charging ? 0.6 : 1)
    batteryTemperature += (batteryLoss - (170 + 1.5 * speed) * (batteryTemperature - AMBIENT)) * seconds / BATTERY_HEAT_CAPACITY
  }

  const crossLine = (events: CarEvent[]) => {
    distance -= track.length
    lapTime = round(lapClock, 3)
    events.push({ type: 'lap', lap, lapTime })
    lap++
    lapClock = 0
    mood = random.between(0.985, 1.01)
    if (charge() < BOX_AT) charging = true
  }

  const advance = (seconds: number, events: CarEvent[]) => {
    if (charging) {
      speed = throttle = brake = 0
      power = -car.chargingPower
      if (charge() >= CHARGE_TO) charging = false
    } else {
      const acceleration = drive(seconds)
      const before = speed
      speed = Math.max(0, speed + acceleration * seconds)
      distance += (before + speed) / 2 * seconds
      odometer += (before + speed) / 2 * seconds
    }
    gear = chooseGear(speed, gear)
    const drawn = power > 0 ? power / car.batteryEfficiency : power * car.batteryEfficiency
    energy = Math.min(car.batteryCapacity, Math.max(0, energy - drawn * seconds))
    if (!low && charge() < LOW_MARK) events.push({ type: 'battery-low', batteryPercentage: round(charge(), 1) })
    low = charge() < LOW_MARK + (low ? 5 : 0)
    heat(seconds)
    if (!hot && motorTemperature > HOT) events.push({ type: 'overheating', motorTemperature: round(motorTemperature, 1) })
    hot = motorTemperature > HOT - (hot ? 5 : 0)
    lapClock += seconds
    if (distance >= track.length) crossLine(events)
  }

  const report = (): Record<string, SignalValue> => {
    const place = track.at(distance)
    return {
      speed: round(speed * 3.6, 1),
      motorRPM: gear === 0 ? 0 : Math.round(motorSpeed(speed, gear)),
      gear: gear === 0 ? 'N' : String(gear),
      throttle: round(throttle, 0),
      brake: round(brake, 0),
      batteryPercentage: round(charge(), 2),
      batteryPower: round(power / 1000, 1),
      motorTemperature: round(motorTemperature, 1),
      batteryTemperature: round(batteryTemperature, 1),
      odometer: round(odometer / 1000, 3),
      latitude: round(place.latitude, 6),
      longitude: round(place.longitude, 6),
      heading: round(place.heading, 1) % 360,
      engineLight: motorTemperature > 130 ? 'red' : hot || faults.lamp ? 'amber' : 'off',
      lap,
      lapDistance: round(distance, 1),
      ...(lapTime !== undefined && { lapTime })
    }
  }

  return {
    id,
    step (seconds) {
      const events: CarEvent[] = []
      faults.step(seconds)
      for (let left = seconds; left > 1e-9; left -= SUBSTEP) advance(Math.min(SUBSTEP, left), events)
      return { values: faults.silent ? null : report(), events }
    }
  }
}
