/** A value a sensor may report. */
export type SignalValue = number | boolean | string

/** Where a signal's value asks for attention: `warning` in amber, `critical` in red. */
export interface Threshold {
  severity: 'warning' | 'critical'
  /** Reached when the value is above it. */
  above?: number
  /** Reached when the value is below it. */
  below?: number
}

/** What is known of a signal: what it is called here and in COVESA's VSS, and how to read and draw it. */
export interface Signal {
  name: string
  description: string
  /** `number` is measured, `text` is one of `values` or free, `flag` is true or false. */
  kind: 'number' | 'text' | 'flag'
  /** Unit of stored values; none for counts and texts. */
  unit?: string
  /** Path below COVESA Vehicle Signal Specification 6.0; accepted as a field name. */
  vss?: string
  /** Stored value = VSS value × factor; 1 when absent. */
  vssFactor?: number
  /** Stored text of a VSS flag or number, by its text; others are kept as text. */
  vssValues?: Readonly<Record<string, string>>
  /** Scale of a gauge or chart; values outside are kept. */
  range?: readonly [number, number]
  /** Physically possible values; others are refused. */
  limits?: readonly [number, number]
  /** Usual texts. */
  values?: readonly string[]
  thresholds?: readonly Threshold[]
}

const motor = 'Vehicle.Powertrain.ElectricMotor'
const battery = 'Vehicle.Powertrain.TractionBattery'
const location = 'Vehicle.CurrentLocation'

/**
 * Known signals. VSS names are those of COVESA's Vehicle Signal Specification 6.0
 * (github.com/COVESA/vehicle_signal_specification, spec/). Plain data without imports
 * of the server's, so that dashboards can use it as it is.
 */
export const signals: readonly Signal[] = [
  { name: 'speed', description: 'Speed over ground', kind: 'number', unit: 'km/h', vss: 'Vehicle.Speed', range: [0, 320] },
  { name: 'motorRPM', description: 'Speed of the motor; negative in reverse', kind: 'number', unit: 'rpm', vss: `${motor}.Speed`, range: [0, 9000], thresholds: [{ severity: 'warning', above: 7800 }, { severity: 'critical', above: 8400 }] },
  { name: 'gear', description: 'Current gear', kind: 'text', vss: 'Vehicle.Powertrain.Transmission.CurrentGear', vssValues: { '-1': 'R', 0: 'N' }, values: ['N/N', 'R', 'N', '1', '2', '3', '4', '5', '6'] },
  { name: 'throttle', description: 'Accelerator pedal position', kind: 'number', unit: '%', vss: 'Vehicle.Chassis.Accelerator.PedalPosition', range: [0, 100], limits: [0, 100] },
  { name: 'brake', description: 'Brake pedal position', kind: 'number', unit: '%', vss: 'Vehicle.Chassis.Brake.PedalPosition', range: [0, 100], limits: [0, 100] },
  { name: 'batteryPercentage', description: 'State of charge as displayed', kind: 'number', unit: '%', vss: `${battery}.StateOfCharge.Displayed`, range: [0, 100], limits: [0, 100], thresholds: [{ severity: 'warning', below: 20 }, { severity: 'critical', below: 10 }] },
  { name: 'batteryPower', description: 'Power drawn from the battery; negative while charging', kind: 'number', unit: 'kW', vss: `${battery}.CurrentPower`, vssFactor: 0.001, range: [-600, 300] },
  { name: 'motorTemperature', description: 'Temperature of the motor', kind: 'number', unit: '°C', vss: `${motor}.Temperature`, range: [0, 160], thresholds: [{ severity: 'warning', above: 110 }, { severity: 'critical', above: 130 }] },
  { name: 'batteryTemperature', description: 'Average temperature of the battery', kind: 'number', unit: '°C', vss: `${battery}.Temperature.Average`, range: [0, 80], thresholds: [{ severity: 'warning', above: 52 }, { severity: 'critical', above: 60 }] },
  { name: 'odometer', description: 'Distance driven in all', kind: 'number', unit: 'km', vss: 'Vehicle.TraveledDistance', vssFactor: 0.001 },
  { name: 'latitude', description: 'Latitude, WGS 84', kind: 'number', unit: '°', vss: `${location}.Latitude`, limits: [-90, 90] },
  { name: 'longitude', description: 'Longitude, WGS 84', kind: 'number', unit: '°', vss: `${location}.Longitude`, limits: [-180, 180] },
  { name: 'heading', description: 'Direction of travel, clockwise from north', kind: 'number', unit: '°', vss: `${location}.Heading`, range: [0, 360], limits: [0, 360] },
  { name: 'altitude', description: 'Height above sea level', kind: 'number', unit: 'm', vss: `${location}.Altitude` },
  { name: 'engineLight', description: 'Engine lamp: amber asks for service, red for a stop', kind: 'text', vss: 'Vehicle.OBD.Status.IsMILOn', vssValues: { true: 'amber', false: 'off' }, values: ['off', 'amber', 'red'] },
  { name: 'lap', description: 'Lap being driven, from 1', kind: 'number' },
  { name: 'lapTime', description: 'Time of the last complete lap', kind: 'number', unit: 's' },
  { name: 'lapDistance', description: 'Distance driven since the start of the lap', kind: 'number', unit: 'm' }
]

/** Known signals by name. */
export const signalsByName: ReadonlyMap<string, Signal> = new Map(signals.map((signal) => [signal.name, signal]))

/** Known signals by VSS path. */
export const signalsByPath: ReadonlyMap<string, Signal> = new Map(signals.flatMap((signal) => signal.vss ? [[signal.vss, signal]] : []))

/** The worst threshold a value has reached, or null. */
export function reachedSeverity (signal: Signal, value: SignalValue): Threshold['severity'] | null {
  if (typeof value !== 'number') return null
  const reached = (signal.thresholds ?? []).filter(({ above, below }) =>
    (above !== undefined && value > above) || (below !== undefined && value < below))
  return reached.some(({ severity }) => severity === 'critical') ? 'critical' : reached.length > 0 ? 'warning' : null
}
