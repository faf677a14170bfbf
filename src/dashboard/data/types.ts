/** A telemetry value as it travels. */
export type SignalValue = number | string | boolean

/** The newest value of one signal of one vehicle. */
export interface Reading {
  value: SignalValue
  /** When the source took it, epoch milliseconds. */
  ts: number
  /** When this page learned of it, in server time, epoch milliseconds; for a snapshot the same as `ts`. */
  seen: number
}

/** What the page knows of one vehicle; plain and mutable, outside the framework. */
export interface Vehicle {
  id: string
  name: string
  simulated: boolean
  /** The server's word on whether it reports. */
  online: boolean
  /** Server time of its newest message, epoch milliseconds; 0 when it never reported. */
  lastSeen: number
  /** Usual time between its messages, milliseconds. */
  cadence: number
  readings: Map<string, Reading>
}

/** Limits beyond which a value wants attention. */
export interface Thresholds {
  warnAbove?: number
  warnBelow?: number
  criticalAbove?: number
  criticalBelow?: number
}

/** What a signal means and how to show it. */
export interface SignalInfo extends Thresholds {
  name: string
  label: string
  unit: string
  min?: number
  max?: number
  /** Digits after the decimal point. */
  digits: number
  /** Its values are words, not measurements. */
  textual: boolean
  /** Drawn in a strip chart. */
  charted: boolean
}

export type Level = 'critical' | 'warning' | 'ok'

/** An event document: the client's own fields, flat. */
export interface EventDocument {
  id: string
  /** Epoch milliseconds. */
  createdAt: number
  type: string
  fields: Record<string, unknown>
}

/** One sample of a vehicle. */
export interface Sample {
  ts: number
  /** When the sensor sent it, by its own clock; live samples that say so. */
  sentAt?: number
  values: Record<string, SignalValue>
}

/** A stretch of one signal, summed up. */
export interface Bucket {
  t: number
  min: number
  max: number
  mean: number
  last: number
  count: number
}

export type Phase = 'connecting' | 'live' | 'reconnecting' | 'offline' | 'signed-out' | 'forbidden' | 'error'

export interface ConnectionStatus {
  phase: Phase
  /** Which attempt to reconnect this is, from 1. */
  attempt: number
  /** When the next attempt starts, epoch milliseconds of this page's clock; 0 while one runs. */
  retryAt: number
  reason: string
}

/** Who the page is to the server. */
export interface Viewer {
  kind: 'visitor' | 'user'
  name: string
  /** True when it may acknowledge alerts. */
  mayOperate: boolean
}
