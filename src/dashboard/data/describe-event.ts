import { withUnit } from './format.js'
import { humanise, knownSignals, signalInfo } from './signals.js'
import type { EventDocument, Level } from './types.js'

export interface EventText {
  /** Who or what it is about: the vehicle's name, or empty. */
  subject: string
  title: string
  /** The fields that say most, as text. */
  detail: string
  level: Level
}

/** Types that ask for attention by themselves. */
const urgentTypes: Record<string, Level> = { 'battery-low': 'warning', overheating: 'warning' }
const severities: Record<string, Level> = { critical: 'critical', error: 'critical', fatal: 'critical', alert: 'critical', warning: 'warning', warn: 'warning' }
/** Fields that are shown elsewhere in the line. */
const shownElsewhere = new Set(['vehicle', 'device', 'severity', 'level', 'message', 'title', 'name', 'ts', 'time', 'simulated'])

/** Puts an event, whose fields are the sender's own, into one line. */
export function describeEvent (event: EventDocument, nameOf: (id: string) => string): EventText {
  const { fields } = event
  const message = textOf(fields.message) ?? textOf(fields.title) ?? textOf(fields.name)
  const about = textOf(fields.vehicle) ?? textOf(fields.device)
  const body = isPlain(fields.data) ? { ...fields, ...fields.data, data: undefined } : fields
  const level = severities[String(fields.severity ?? fields.level ?? '').toLowerCase()] ?? urgentTypes[event.type] ?? 'ok'
  const details = Object.entries(body).flatMap(([name, value]) => {
    const text = shownElsewhere.has(name) ? undefined : shortText(name, value)
    return text === undefined ? [] : [`${humanise(name).toLowerCase()} ${text}`]
  })
  const subject = about === undefined ? '' : nameOf(about)
  return {
    subject,
    title: message === undefined ? humanise(event.type) : withoutSubject(message, subject),
    detail: message === undefined ? details.slice(0, 4).join(' · ') : typeBeside(message, event.type, subject),
    level
  }
}

const decimals = new Intl.NumberFormat('en', { maximumFractionDigits: 3 })
const textOf = (value: unknown) => typeof value === 'string' && value !== '' ? value : undefined
const isPlain = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The type of an event that has words of its own, unless they begin with it. */
function typeBeside (message: string, type: string, subject: string): string {
  const name = humanise(type)
  return withoutSubject(message, subject).toLowerCase().startsWith(name.toLowerCase()) ? '' : name
}

/** `Car 1: lap 3` below the name Car 1 is `Lap 3`. */
function withoutSubject (message: string, subject: string): string {
  if (subject === '' || !message.startsWith(`${subject}: `)) return message
  const rest = message.slice(subject.length + 2)
  return rest.charAt(0).toUpperCase() + rest.slice(1)
}

function shortText (name: string, value: unknown): string | undefined {
  if (typeof value === 'number') return withUnit(decimals.format(value), knownSignals.includes(name) ? signalInfo(name).unit : '')
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'string') return value.length > 60 ? `${value.slice(0, 59)}…` : value
  if (Array.isArray(value)) return `${value.length} items`
  return undefined
}
