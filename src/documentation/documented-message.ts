import type { TSchema } from 'typebox'
import type { Scope } from '../identity/identity.js'

export interface MessageExample {
  /** A few words on what is special about it. */
  name?: string
  payload: unknown
}

/** One message as the AsyncAPI document tells of it. */
export interface DocumentedMessage {
  schema: TSchema
  summary: string
  examples: readonly [MessageExample, ...MessageExample[]]
}

/** What a client may send. */
export interface ClientMessage extends DocumentedMessage {
  /** What the credential needs: a scope, nothing, or what the channel that is named asks for. */
  needs: Scope | 'any' | 'read of the channel' | 'publish of the channel'
  /** Name of the answer when all is well; without one the server says nothing then. */
  reply?: string
}

/** Names and values that the examples share, so that they tell one story. */
export const sample = {
  key: 'pw_example-key-of-the-documentation',
  session: '7d1b6e0c-2f0a-4a53-9c58-0b8f3c1f6a11',
  otherSession: 'b4f3f7a2-9a3d-4a57-8b1f-3f0c2a9e6f0b',
  event: '6920a1b2c3d4e5f607182930',
  command: '6920a1b2c3d4e5f607182932',
  time: '2026-03-01T12:00:00.000Z',
  cursor: 'c_n3f0c2a9e6f.1z',
  storedCursor: 'c_a9nw2xk1t4'
} as const

export const sampleEvent = {
  id: sample.event, type: 'pit-stop', car: 'car-7', seconds: 2.4, createdAt: sample.time, updatedAt: sample.time
}
