/** An electric race car, roughly a Formula E car on slicks. SI units. */
export const car = {
  mass: 900,
  /** Half of air density × drag area, in kg/m. */
  drag: 0.62,
  rollingResistance: 0.015,
  maxPower: 250_000,
  maxRegeneration: 250_000,
  /** Most acceleration and braking the tyres pass on, in m/s². */
  traction: 9,
  braking: 12,
  lateral: 17,
  wheelRadius: 0.33,
  finalDrive: 3.6,
  gearRatios: [3.2, 2.2, 1.6, 1.25, 1.02],
  shiftUpAt: 7900,
  shiftDownAt: 5000,
  /** Joules. */
  batteryCapacity: 30 * 3_600_000,
  chargingPower: 600_000,
  motorEfficiency: 0.93,
  batteryEfficiency: 0.97
} as const

const GRAVITY = 9.81

/** Motor speed in rpm at a road speed (m/s) in a gear (from 1). */
export function motorSpeed (speed: number, gear: number): number {
  const ratio = car.gearRatios[gear - 1] ?? car.gearRatios[0]
  return speed / (2 * Math.PI * car.wheelRadius) * 60 * ratio * car.finalDrive
}

/** The gear a driver has in at this speed, coming from another; 0 is neutral. */
export function chooseGear (speed: number, gear: number): number {
  if (speed < 0.5) return 0
  let chosen = Math.max(1, gear)
  while (chosen < car.gearRatios.length && motorSpeed(speed, chosen) > car.shiftUpAt) chosen++
  while (chosen > 1 && motorSpeed(speed, chosen) < car.shiftDownAt && motorSpeed(speed, chosen - 1) < car.shiftUpAt - 300) chosen--
  return chosen
}

/** Force in N that air and tyres hold against a speed in m/s. */
export const resistance = (speed: number): number => car.drag * speed * speed + car.rollingResistance * car.mass * GRAVITY

/** Most force in N that motor and tyres give at a speed. */
export const driveForce = (speed: number, share: number): number =>
  Math.min(car.maxPower * share / Math.max(speed, 5), car.traction * car.mass)
